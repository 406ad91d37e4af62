// drillbot's web chat. Answers and events change `state`; render() then brings the page in line with it.
//
// What members write is only ever put into text nodes. Nothing here parses HTML, and no style attribute is written:
// the page's Content-Security-Policy allows neither.
//
//   1  small helpers: elements, icons, storage       6  lists: rows, scrolling, older messages
//   2  theme                                         7  acting: buttons, forms, edits
//   3  state, the bot's clock, times                 8  composers and command suggestions
//   4  the HTTP API                                  9  live updates
//   5  blocks and messages as elements              10  places, rendering, signing in, start
//                                                   11  the review queue, a page of its own

// ---- 1  Small helpers -----------------------------------------------------------------------------------------------

const byId = (id) => document.getElementById(id);

/** Makes an element. Strings among the children become text nodes, empty children are left out. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const ICONS = {
  question: "M7.3 7.4a2.8 2.8 0 1 1 4 2.6c-.9.5-1.3 1-1.3 2M10 14.6v.1M10 18a8 8 0 1 1 0-16 8 8 0 0 1 0 16z",
  closed: "M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  good: "m6 10.2 2.8 2.8L14.2 7M10 18a8 8 0 1 1 0-16 8 8 0 0 1 0 16z",
  warning: "M10 3 1.8 17h16.4zM10 8v4M10 14.4v.1",
  error: "M7.2 7.2l5.6 5.6M12.8 7.2l-5.6 5.6M10 18a8 8 0 1 1 0-16 8 8 0 0 1 0 16z",
  private: "M2 10s3-5.2 8-5.2 8 5.2 8 5.2-3 5.2-8 5.2S2 10 2 10zM4 16.5l12-13",
  late: "M10 5.5V10l3 2M10 18a8 8 0 1 1 0-16 8 8 0 0 1 0 16z",
  thread: "M3 4h14v10H9l-4 3.2V14H3z",
  sun: "M10 6.4a3.6 3.6 0 1 1 0 7.2 3.6 3.6 0 0 1 0-7.2zM10 1.6v1.6M10 16.8v1.6M1.6 10h1.6M16.8 10h1.6M4.1 4.1l1.1 1.1M14.8 14.8l1.1 1.1M4.1 15.9l1.1-1.1M14.8 5.2l1.1-1.1",
  moon: "M16.6 12.2A7.2 7.2 0 0 1 7.8 3.4a7.2 7.2 0 1 0 8.8 8.8z",
};

/** A small drawing beside words that say the same; screen readers skip it. */
function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

const stamps = new WeakMap();

/** Rebuilds what stands in `node` only if `stamp` changed, so that focus, selection and scrolling survive a render. */
function fill(node, stamp, build) {
  if (stamps.get(node) === stamp) return;
  stamps.set(node, stamp);
  node.replaceChildren(...[build()].flat(Infinity).filter(Boolean));
}

/** Storage may be forbidden by the browser; then things are simply not remembered. */
function recall(storage, key) {
  try {
    return window[storage].getItem(key);
  } catch {
    return null;
  }
}

function remember(storage, key, value) {
  try {
    if (value === null) window[storage].removeItem(key);
    else window[storage].setItem(key, value);
  } catch {
    // Not remembered, see above.
  }
}

/** `crypto.randomUUID` exists on https and localhost only; a bot in a home network may be on plain http. */
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;

// ---- 2  Theme -------------------------------------------------------------------------------------------------------

const systemDark = matchMedia("(prefers-color-scheme: dark)");

const isDark = () => (document.documentElement.dataset.theme ?? (systemDark.matches ? "dark" : "light")) === "dark";

function renderTheme() {
  const button = document.querySelector("[data-testid=theme]");
  if (!button) return;
  const name = isDark() ? "Light theme" : "Dark theme";
  button.setAttribute("aria-label", name);
  button.title = name;
  fill(button, name, () => icon(isDark() ? "sun" : "moon"));
}

function startTheme() {
  const saved = recall("localStorage", "theme");
  if (saved === "dark" || saved === "light") document.documentElement.dataset.theme = saved;
  systemDark.addEventListener("change", renderTheme);
  document.querySelector("[data-testid=theme]")?.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    remember("localStorage", "theme", document.documentElement.dataset.theme);
    renderTheme();
  });
  renderTheme();
}

// ---- 3  State, the bot's clock, times ---------------------------------------------------------------------------------

const freshState = () => ({
  phase: "starting", // starting | signin | chat
  member: null,
  channels: [],
  channel: null, // the id of the channel on screen
  thread: null, // the id of the message whose thread is open
  messages: new Map(), // id -> WebMessage: everything known, deleted ones too, so that an old copy cannot bring them back
  pages: new Map(), // channel -> how much of it has been read, see pageOf
  threads: new Map(), // root id -> { loaded, loading, problem }
  shownIn: new Map(), // private message -> where its button was pressed: it shows there as well as where it belongs
  unread: new Map(), // channel -> messages that came while another one was on screen
  missed: 0, // messages that came while the tab was hidden
  editing: new Map(), // message -> { text, saving, problem }
  deleting: new Set(), // messages whose author is being asked whether to delete them
  pending: new Set(), // "message action" of buttons in flight
  problems: new Map(), // message -> why the last thing done to it failed
  cursor: null, // the rev from which live updates go on
  connection: "new", // new | live | lost
  notice: "", // a failure that belongs to no message
});

let state = freshState();
let clock = { now: Date.now(), received: Date.now(), speed: 1 };

/** Also called on reconnecting, so a computer that slept or corrected its clock is put right. */
function setClock({ now, speed }) {
  clock = { now, received: Date.now(), speed: speed || 1 };
}

const botNow = () => clock.now + (Date.now() - clock.received) * clock.speed;

// The page is in English, so dates are too; an English reader's own variety of it is used where the browser names one.
const LOCALE = navigator.languages.find((language) => /^en\b/i.test(language)) ?? "en-GB";
const format = (options) => new Intl.DateTimeFormat(LOCALE, options);
const HOUR = format({ hour: "numeric" }).resolvedOptions().hour12 ? "numeric" : "2-digit"; // "9:05 AM" but "09:05"
const CLOCK = format({ hour: HOUR, minute: "2-digit" });
const FULL = format({ weekday: "short", day: "numeric", month: "short", hour: HOUR, minute: "2-digit" });
const TITLE = format({ dateStyle: "full", timeStyle: "long" });
const DAY = format({ weekday: "long", day: "numeric", month: "long" });
const DAY_AND_YEAR = format({ weekday: "long", day: "numeric", month: "long", year: "numeric" });

const dayKey = (at) => {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
};

function dayLabel(at) {
  const yesterday = new Date(botNow());
  yesterday.setDate(yesterday.getDate() - 1);
  if (dayKey(at) === dayKey(botNow())) return "Today";
  if (dayKey(at) === dayKey(yesterday)) return "Yesterday";
  const thisYear = new Date(at).getFullYear() === new Date(botNow()).getFullYear();
  return (thisYear ? DAY : DAY_AND_YEAR).format(at);
}

/** "in 8 hours", "in 1 min 40 s", "3 minutes ago". */
function relativeText(at) {
  const seconds = Math.round((at - botNow()) / 1000);
  if (seconds <= 0 && seconds > -60) return "just now";
  return seconds > 0 ? `in ${spell(seconds, true)}` : `${spell(-seconds, false)} ago`;
}

/** Under five minutes a countdown names its seconds, so that it is seen to move. */
function spell(seconds, countdown) {
  if (countdown && seconds < 60) return `${seconds} s`;
  if (countdown && seconds < 300) return seconds % 60 ? `${Math.floor(seconds / 60)} min ${seconds % 60} s` : `${seconds / 60} min`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return plural(minutes, "minute", "minutes");
  if (minutes < 180) return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : plural(minutes / 60, "hour", "hours");
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}

/** `style` is "full", "relative" or "clock". Relative ones are kept up to date by tick(). */
function timeNode(at, style) {
  const node = el("time", { datetime: new Date(at).toISOString(), title: TITLE.format(at), "data-style": style });
  node.textContent = timeText(at, style);
  return node;
}

function timeText(at, style) {
  if (style === "relative") return relativeText(at);
  return (style === "clock" ? CLOCK : FULL).format(at);
}

function tick() {
  for (const node of document.querySelectorAll('time[data-style="relative"]')) {
    const text = relativeText(Date.parse(node.dateTime));
    if (node.textContent !== text) node.textContent = text;
  }
}

// ---- 4  The HTTP API --------------------------------------------------------------------------------------------------

/** A failure with a sentence for the reader in `message`; `status` is 0 when no answer came at all. */
class ApiError extends Error {
  constructor(status, message, data = null) {
    super(message);
    this.status = status;
    this.tokenRequired = data?.token_required === true;
  }
}

const PATIENCE_MS = 20_000;

async function api(method, path, body, signal = AbortSignal.timeout(PATIENCE_MS)) {
  const options = { method, signal, headers: method === "GET" ? {} : { "Content-Type": "application/json" } };
  if (body !== undefined) options.body = JSON.stringify(body);
  let response;
  let text;
  try {
    response = await fetch(path, options);
    text = await response.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "drillbot does not answer just now. Check your connection and try again.");
  }
  const data = parse(text);
  if (response.ok) return data;
  // /api/session itself answers 401 to people who have yet to sign in.
  if (response.status === 401 && path !== "/api/session") leave("Your session has ended. Sign in again to go on; what you typed is kept.");
  throw new ApiError(response.status, data?.error?.message ?? `Something went wrong (${response.status}). Try again in a moment.`, data);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const channelPath = (channel, rest) => `/api/channels/${encodeURIComponent(channel)}/${rest}`;
const messagePath = (id, rest = "") => `/api/messages/${encodeURIComponent(id)}${rest}`;

/** Takes a message in unless a newer copy is known. True if it was not known at all. */
function merge(message) {
  const known = state.messages.get(message.id);
  if (known && known.rev >= message.rev) return false;
  state.messages.set(message.id, message);
  if (message.deleted) forget(message.id);
  return !known;
}

function forget(id) {
  state.editing.delete(id);
  state.deleting.delete(id);
  state.problems.delete(id);
}

/** How much of a channel has been read. Only messages from `oldest` on are shown: below it there may be holes. */
function pageOf(channel) {
  if (!state.pages.has(channel)) state.pages.set(channel, { loaded: false, reading: null, more: false, oldest: Infinity, problem: "" });
  return state.pages.get(channel);
}

const PAGE = 50;

/** Reads the newest messages of a channel, or the ones before those already there. */
function loadMessages(channel) {
  const page = pageOf(channel);
  if (page.reading === null && (page.more || !page.loaded)) {
    page.reading = readMessages(channel, page).finally(() => {
      page.reading = null;
      changed();
    });
    page.problem = "";
    changed();
  }
  return page.reading;
}

/** The same without being asked, on scrolling up: not after a failure, that would go on and on. */
function loadEarlier() {
  if (state.channel === null) return;
  const page = pageOf(state.channel);
  if (page.loaded && !page.problem) loadMessages(state.channel);
}

async function readMessages(channel, page) {
  const mine = state;
  try {
    const before = page.loaded ? `&before=${page.oldest}` : "";
    const answer = await api("GET", channelPath(channel, `messages?limit=${PAGE}${before}`));
    if (mine !== state) return; // signed out meanwhile
    answer.messages.forEach(merge);
    page.loaded = true;
    page.more = answer.more;
    page.oldest = answer.more ? Math.min(page.oldest, ...answer.messages.map((message) => message.seq)) : 0;
    if (state.cursor === null) state.cursor = answer.rev;
  } catch (error) {
    page.problem = error.message;
  }
}

async function loadThread(root) {
  const mine = state;
  const thread = { loaded: false, loading: true, problem: "" };
  state.threads.set(root, thread);
  changed();
  try {
    const answer = await api("GET", messagePath(root, "/thread"));
    if (mine !== state) return;
    [answer.root, ...answer.messages].forEach(merge);
    thread.loaded = true;
  } catch (error) {
    thread.problem = error.message;
  } finally {
    thread.loading = false;
    changed();
  }
}

// ---- 5  Blocks and messages as elements ---------------------------------------------------------------------------------

function spanNode(span) {
  switch (span.kind) {
    case "bold":
      return el("strong", { dir: "auto" }, span.text);
    case "code":
    case "command":
      return el("code", {}, span.text);
    case "link":
      return linkNode(span);
    case "time":
      return timeNode(span.at, span.style);
    case "role":
      return el("code", {}, span.id);
    default:
      // <bdi>: a right-to-left name cannot turn the words around it.
      return el("bdi", {}, span.text ?? "");
  }
}

function linkNode({ text, url }) {
  if (!/^https:\/\//i.test(url)) return el("bdi", {}, text);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer", dir: "auto" }, text);
}

const spanNodes = (spans) => spans.map(spanNode);

/** Splits text where a hit begins or ends. Hits count UTF-8 bytes, JavaScript counts UTF-16 units: so walk by character. */
function cutAtHits(text, hits) {
  const pieces = [];
  let byte = 0;
  for (const character of text) {
    const at = byte;
    const hit = hits.some(([from, to]) => at >= from && at < to);
    const last = pieces.at(-1);
    if (last?.hit === hit) last.text += character;
    else pieces.push({ hit, text: character });
    byte += utf8Length(character.codePointAt(0));
  }
  return pieces;
}

function utf8Length(codePoint) {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}

function quoteNode({ by, text, hits = [] }) {
  const pieces = cutAtHits(text, hits).map((piece) => (piece.hit ? el("mark", {}, piece.text) : piece.text));
  return el("figure", { class: "quote" },
    by && el("figcaption", {}, el("bdi", {}, by)),
    el("blockquote", { class: "prose", dir: "auto" }, pieces));
}

/** Questions are headings too, and authors write `code` in them. */
const headingNodes = (text) => text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? el("code", {}, part) : part));

const isNumber = (cell) => /^[+\-−–]?[\d.,\s]*\d%?$/.test(cell.trim());

function tableNode({ head, rows }) {
  const numeric = head.map((_, column) => rows.length > 0 && rows.every((row) => isNumber(row[column] ?? "")));
  // Short words stand on one line; what room is left is for the long ones.
  const short = head.map((_, column) => rows.every((row) => (row[column] ?? "").length <= 12));
  const kind = (column) => [numeric[column] && "number", short[column] && "short"].filter(Boolean).join(" ") || null;
  const cells = (tag, row) => row.map((cell, column) => el(tag, { class: kind(column), scope: tag === "th" && "col" }, el("bdi", {}, cell)));
  return el("div", { class: "table-scroll", tabindex: 0, role: "group", "aria-label": "Table" },
    el("table", {},
      el("thead", {}, el("tr", {}, cells("th", head))),
      el("tbody", {}, rows.map((row) => el("tr", {}, cells("td", row))))));
}

const MARKS = { "✓": "yes", "✗": "no", "–": "partly" };

const itemNode = ({ mark, spans }) =>
  el("li", {}, el("span", { class: "mark", "data-mark": MARKS[mark] }, mark), el("span", {}, spanNodes(spans)));

/** Every builder gets a run of neighbours of its kind; fields and items become one list. */
const BLOCKS = {
  heading: (run) => run.map(({ text }) => el("h2", { dir: "auto" }, headingNodes(text))),
  line: (run) => run.map(({ spans }) => el("p", { class: "prose" }, spanNodes(spans))),
  note: (run) => run.map(({ spans }) => el("p", { class: "note prose" }, spanNodes(spans))),
  field: (run) => el("dl", { class: "fields" }, run.map(({ label, spans }) => el("div", {}, el("dt", {}, label), el("dd", {}, spanNodes(spans))))),
  item: (run) => el("ul", { class: "items", role: "list" }, run.map(itemNode)),
  quote: (run) => run.map(quoteNode),
  code: (run) => run.map(({ text }) => el("pre", { tabindex: 0, role: "group", "aria-label": "Code" }, el("code", {}, text.replace(/\n$/, "")))),
  table: (run) => run.map(tableNode),
  divider: () => el("hr"),
};

function blockNodes(blocks) {
  const nodes = [];
  for (let start = 0; start < blocks.length; ) {
    const { kind } = blocks[start];
    let end = start + 1;
    while (blocks[end]?.kind === kind) end += 1;
    if (kind in BLOCKS) nodes.push(BLOCKS[kind](blocks.slice(start, end)));
    start = end;
  }
  return nodes.flat(Infinity);
}

// A tone is said in a word too, colour alone would be lost on many.
const TONES = { question: "Open question", closed: "Closed", good: "", warning: "Take note", error: "That did not work" };

function cardNode(message, pane) {
  const { tone, blocks, buttons = [] } = message.message;
  const word = tone === "question" && message.private ? "Your drill" : TONES[tone];
  const nodes = blockNodes(blocks);
  // What went well says so itself; a receipt of one line gets the sign beside it.
  if (tone === "good" && blocks[0]?.kind === "line") nodes[0].prepend(icon("good"), " ");
  nodes.filter((node) => node.matches(".items")).forEach((list) => makePickable(list, message, buttons, pane));
  return el("div", { class: "card", "data-tone": tone in TONES ? tone : "plain" },
    word && el("p", { class: "tone" }, icon(tone), word),
    el("div", { class: "blocks" }, nodes),
    buttons.length > 0 && el("div", { class: "buttons" }, buttons.map((button) => actionButton(message, button, pane))));
}

/** An option may be pressed itself where a button bears its letter. The button stays, for the keyboard. */
function makePickable(list, message, buttons, pane) {
  for (const item of list.children) {
    const letter = item.querySelector(".mark").textContent.replace(/\.$/, "");
    const button = buttons.find(({ label }) => label === letter);
    if (!button) continue;
    item.classList.add("pickable");
    item.addEventListener("click", () => getSelection().isCollapsed && pressButton(message, button.action, pane));
  }
}

function actionButton(message, { action, label, style }, pane) {
  return el("button", {
    type: "button",
    class: `button ${style}`,
    "data-action": action,
    "data-control": action,
    disabled: state.pending.has(`${message.id} ${action}`),
    click: () => pressButton(message, action, pane),
  }, label);
}

const graphemes = new Intl.Segmenter(LOCALE, { granularity: "grapheme" });

function initials(name) {
  const words = name.trim().split(/\s+/u).slice(0, 2);
  return words.map((word) => graphemes.segment(word)[Symbol.iterator]().next().value?.segment ?? "").join("").toLocaleUpperCase();
}

const HUES = 12;

function hueOf(id) {
  let hash = 0;
  for (const character of id) hash = (hash * 31 + character.codePointAt(0)) >>> 0;
  return hash % HUES;
}

function avatarNode(author) {
  if (author.bot) return el("img", { class: "avatar bot", src: "/assets/favicon.svg", alt: "", width: 36, height: 36 });
  return el("span", { class: "avatar", "data-hue": hueOf(author.id), "aria-hidden": "true" }, initials(author.name));
}

const MEMBER_MARKS = {
  noted: () => ["✓ counts as your answer"],
  late: () => [icon("late"), "late: after the reveal, no points"],
  aside: () => [icon("thread"), "aside"],
};

/**
 * One message. `pane` is the id of the thread it is shown in, or null in the channel; `compact` leaves out the author,
 * who is the same as above; `dated` puts the day beside the hour.
 */
function messageNode(message, { pane, compact, dated }) {
  const { author } = message;
  const time = timeNode(message.at, dated ? "full" : "clock");
  return el("article", {
    class: `message${compact ? " compact" : ""}${message.private ? " private" : ""}`,
    tabindex: -1,
    "aria-label": `${author.name}, ${FULL.format(message.at)}`,
    "data-testid": "message",
    "data-message-id": message.id,
    "data-author": author.name,
    "data-private": message.private ? "true" : null,
  },
  el("div", { class: "gutter" }, compact ? time : avatarNode(author)),
  el("div", { class: "body" },
    !compact && el("p", { class: "meta" }, el("bdi", { class: "author" }, author.name), author.bot && el("span", { class: "tag" }, "bot"), time, message.private && privateLabel(message)),
    contentNodes(message, pane),
    problemNode(message),
    pane === null && threadButton(message),
    toolNodes(message)));
}

function privateLabel(message) {
  return el("span", { class: "private-label" },
    el("span", { class: "private-tag" }, icon("private"), "Only you can see this"),
    el("button", { type: "button", class: "quiet", "data-control": "hide", "aria-label": "Hide this private message", click: () => removeMessage(message) }, "Hide"));
}

function contentNodes(message, pane) {
  if (message.message) return cardNode(message, pane);
  if (state.editing.has(message.id)) return editForm(message);
  return [
    el("p", { class: "text prose", dir: "auto" }, message.text ?? ""),
    message.edited_at !== null && el("p", { class: "edited" }, el("span", { title: TITLE.format(message.edited_at) }, "edited")),
    message.mark in MEMBER_MARKS && el("p", { class: "member-mark", "data-mark": message.mark }, MEMBER_MARKS[message.mark]()),
  ];
}

function problemNode(message) {
  const problem = state.problems.get(message.id);
  return problem && el("p", { class: "problem", role: "alert" }, problem);
}

/** Members' messages have a thread only once somebody wrote in it; the bot's public ones always offer it. */
function threadButton(message) {
  if (message.private || !(message.author.bot || message.replies > 0)) return null;
  return el("button", { type: "button", class: "thread-button", "data-testid": "open-thread", "data-control": "thread", click: () => openThread(message.id) },
    icon("thread"),
    message.replies > 0 ? el("strong", {}, plural(message.replies, "reply", "replies")) : "Open thread",
    message.replies > 0 && el("span", {}, "Open thread"));
}

function toolNodes(message) {
  if (!message.mine || message.private || message.text === null || state.editing.has(message.id)) return null;
  if (state.deleting.has(message.id)) {
    const onEscape = (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      askDelete(message.id, false);
    };
    return el("div", { class: "confirm", role: "group", "aria-label": "Delete this message?", keydown: onEscape },
      el("span", {}, "Delete this message?"),
      el("button", { type: "button", class: "button danger small", "data-control": "delete-yes", click: () => removeMessage(message) }, "Delete"),
      el("button", { type: "button", class: "button secondary small", "data-control": "delete-no", click: () => askDelete(message.id, false) }, "Keep"));
  }
  return el("div", { class: "tools" },
    el("button", { type: "button", class: "quiet", "data-control": "edit", click: () => startEdit(message) }, "Edit"),
    el("button", { type: "button", class: "quiet", "data-control": "delete", click: () => askDelete(message.id, true) }, "Delete"));
}

function editForm(message) {
  const edit = state.editing.get(message.id);
  const input = el("textarea", { rows: 1, "aria-label": "Edit your message", "data-control": "edit-text", dir: "auto", readonly: edit.saving });
  input.value = edit.text;
  input.addEventListener("input", () => {
    edit.text = input.value;
    grow(input);
  });
  input.addEventListener("keydown", (event) => {
    if (isComposing(event)) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      stopEdit(message.id);
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      saveEdit(message);
    }
  });
  return el("form", { class: "edit", submit: (event) => { event.preventDefault(); saveEdit(message); } },
    input,
    edit.problem && el("p", { class: "problem", role: "alert" }, edit.problem),
    el("div", { class: "buttons" },
      el("button", { type: "submit", class: "button primary small", "data-control": "edit-save", disabled: edit.saving }, "Save"),
      el("button", { type: "button", class: "button secondary small", "data-control": "edit-cancel", click: () => stopEdit(message.id) }, "Cancel")));
}

// ---- 6  Lists -----------------------------------------------------------------------------------------------------------

const SAME_BREATH_MS = 5 * 60_000;

/** Neighbours by one member within minutes show the author once. Cards and private messages always stand alone. */
function continues(previous, message) {
  return previous !== undefined
    && !message.author.bot && !message.private && !previous.private
    && previous.author.id === message.author.id
    && message.at - previous.at < SAME_BREATH_MS;
}

/** Everything a message's look depends on. While it is edited a newer copy must not replace the text being typed. */
function messageStamp(message, view) {
  const { id, rev } = message;
  const edit = state.editing.get(id);
  const now = edit ? ["edit", edit.saving, edit.problem] : [rev, state.deleting.has(id)];
  return JSON.stringify([...now, view.compact, view.dated, state.problems.get(id)]);
}

const messageRow = (message, view) => ({ key: message.id, stamp: messageStamp(message, view), build: () => messageNode(message, view) });
const labelRow = (key, text) => ({ key, stamp: text, build: () => el("p", { class: "divider-label" }, el("span", {}, text)) });

function channelMessages() {
  const { oldest } = pageOf(state.channel);
  return sorted((message) => message.channel === state.channel && message.seq >= oldest
    && (message.thread === null || state.shownIn.get(message.id) === null));
}

function threadMessages() {
  return sorted((message) => message.thread === state.thread || state.shownIn.get(message.id) === state.thread);
}

const sorted = (wanted) =>
  [...state.messages.values()].filter((message) => !message.deleted && wanted(message)).sort((one, other) => one.seq - other.seq);

function channelRows(messages) {
  const rows = [];
  messages.forEach((message, index) => {
    const previous = messages[index - 1];
    const sameDay = previous !== undefined && dayKey(previous.at) === dayKey(message.at);
    if (!sameDay) rows.push(labelRow(`day ${dayKey(message.at)}`, dayLabel(message.at)));
    rows.push(messageRow(message, { pane: null, compact: sameDay && continues(previous, message), dated: false }));
  });
  return rows;
}

function threadRows(messages) {
  const today = dayKey(botNow());
  const view = (message, compact) => ({ pane: state.thread, compact, dated: dayKey(message.at) !== today });
  const root = state.messages.get(state.thread);
  const rows = messages.map((message, index) => messageRow(message, view(message, continues(messages[index - 1], message))));
  if (!root || root.deleted) return rows;
  const count = messages.filter((message) => !message.private).length;
  return [messageRow(root, view(root, false)), labelRow("count", count === 0 ? "No replies yet" : plural(count, "reply", "replies")), ...rows];
}

/** A thread that ends with the reveal is read from the reveal's beginning. */
function beginOfReveal(messages) {
  const lastWord = messages.findLastIndex(({ author, private: secret }) => !author.bot && !secret);
  return messages.slice(lastWord + 1).find(({ author, private: secret }) => author.bot && !secret) ?? null;
}

const NEAR_PX = 60;

/** A list of rows in a scroller: stays at the bottom if it is there, and otherwise keeps what is being read in its place. */
class MessageList {
  constructor(name, { onTop = () => {}, beginAt = () => null } = {}) {
    this.scroller = byId(`${name}-scroller`);
    this.list = byId(`${name}-messages`);
    this.start = byId(`${name}-start`);
    this.newButton = byId(`${name}-new`);
    this.items = new Map(); // key -> { node, stamp }
    this.onTop = onTop;
    this.beginAt = beginAt;
    this.reset();
    this.scroller.addEventListener("scroll", () => this.onScroll(), { passive: true });
    this.newButton.addEventListener("click", () => this.toBottom());
    // The composer grows, keyboards open, windows are resized: who was at the bottom stays there.
    new ResizeObserver(() => this.sticks && this.toBottom()).observe(this.scroller);
  }

  reset() {
    this.sticks = true;
    this.readTo = null; // the seq up to which everything has been on screen
    this.newButton.hidden = true;
  }

  onScroll() {
    this.sticks = this.isAtBottom();
    if (this.sticks) this.markRead();
    if (this.scroller.scrollTop < this.scroller.clientHeight) this.onTop();
  }

  isAtBottom() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < NEAR_PX;
  }

  toBottom() {
    this.sticks = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.markRead();
  }

  markRead() {
    this.readTo = this.lastSeq ?? this.readTo;
    this.newButton.hidden = true;
  }

  /** Where to begin reading: of what is new below, if it does not fit on screen, else at the end. */
  settle(first) {
    const node = first && this.find(first.id);
    if (!node) return this.toBottom();
    const from = node.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top + this.scroller.scrollTop;
    if (this.scroller.scrollHeight - from <= this.scroller.clientHeight) return this.toBottom();
    this.sticks = false;
    this.readTo ??= this.lastSeq;
    this.scroller.scrollTop = from - 8;
  }

  render(messages, rows) {
    const anchor = this.sticks ? null : this.anchor();
    const fresh = this.readTo === null ? [] : messages.filter((message) => message.seq > this.readTo);
    this.lastSeq = messages.at(-1)?.seq ?? null;
    this.reconcile(rows);
    if (fresh.some((message) => message.mine)) this.toBottom();
    else if (this.sticks) this.settle(this.readTo === null ? this.beginAt(messages) : fresh[0]);
    else this.restore(anchor);
    this.renderNewButton(fresh);
  }

  renderNewButton(fresh) {
    const count = this.sticks ? 0 : fresh.length;
    this.newButton.hidden = count === 0;
    if (count > 0) this.newButton.textContent = this.begins(fresh.at(-1)) ? "More below ↓" : `${plural(count, "new message", "new messages")} ↓`;
  }

  /** Whether the beginning of a message can be seen already. */
  begins(message) {
    const node = this.find(message.id);
    return node !== null && node.getBoundingClientRect().top < this.scroller.getBoundingClientRect().bottom - NEAR_PX;
  }

  /** The first message in view and where it ends. (Browsers' own scroll anchoring gives up at the very top.) */
  anchor() {
    const top = this.scroller.getBoundingClientRect().top;
    for (const node of this.list.children) {
      const { bottom } = node.getBoundingClientRect();
      // Not a day's label: that one moves up when earlier messages of its day come in.
      if (bottom > top && node.querySelector(".message")) return { node, bottom };
    }
    return null;
  }

  restore(anchor) {
    if (anchor?.node.isConnected) this.scroller.scrollTop += anchor.node.getBoundingClientRect().bottom - anchor.bottom;
  }

  reconcile(rows) {
    const wanted = new Set(rows.map((row) => row.key));
    for (const [key, item] of this.items) {
      if (wanted.has(key)) continue;
      item.node.remove();
      this.items.delete(key);
    }
    let place = this.list.firstElementChild;
    for (const row of rows) {
      const node = this.itemFor(row);
      if (node === place) place = place.nextElementSibling;
      else this.list.insertBefore(node, place);
    }
  }

  itemFor(row) {
    let item = this.items.get(row.key);
    if (!item) this.items.set(row.key, (item = { node: el("li"), stamp: null }));
    if (item.stamp !== row.stamp) {
      replaceKeepingFocus(item.node, row.build());
      item.stamp = row.stamp;
    }
    return item.node;
  }

  find(id) {
    return this.items.get(id)?.node.querySelector(".message") ?? null;
  }
}

/** A keyboard user's place is kept when a message is drawn anew: the same control again, else the message itself. */
function replaceKeepingFocus(item, content) {
  const focused = item.contains(document.activeElement) ? document.activeElement : null;
  item.replaceChildren(content);
  for (const input of item.querySelectorAll("textarea")) grow(input);
  if (!focused) return;
  const control = focused.dataset.control;
  const again = control && item.querySelector(`[data-control="${CSS.escape(control)}"]`);
  (again || item.querySelector(".message"))?.focus({ preventScroll: true });
}

/** Lets a textarea be as high as its text; the stylesheet sets the limit. */
function grow(input) {
  input.style.height = "auto";
  if (input.offsetParent === null) return; // not on screen, so nothing to measure
  const border = input.offsetHeight - input.clientHeight;
  input.style.height = `${input.scrollHeight + border}px`;
}

// ---- 7  Acting: buttons, forms, edits -----------------------------------------------------------------------------------

/** Where a button was pressed or a command given: what comes back is shown there. */
async function pressButton(message, action, pane) {
  const flight = `${message.id} ${action}`;
  if (state.pending.has(flight)) return;
  const mine = state;
  setPending(flight, message.id, action, true);
  state.problems.delete(message.id);
  try {
    const { reply } = await api("POST", "/api/actions", { action, channel: message.channel, message: message.id });
    if (mine === state) applyReply(reply, { channel: message.channel, message: message.id, action, pane });
  } catch (error) {
    mine.problems.set(message.id, error.message);
  } finally {
    setPending(flight, message.id, action, false);
    changed();
  }
}

/** Set on the buttons themselves (the root of a thread is on screen twice), so that nothing is drawn anew for it. */
function setPending(flight, id, action, on) {
  const focused = document.activeElement;
  if (on) state.pending.add(flight);
  else state.pending.delete(flight);
  for (const button of document.querySelectorAll(`[data-message-id="${CSS.escape(id)}"] [data-action="${CSS.escape(action)}"]`)) {
    const hadFocus = button === focused || button.hasAttribute("data-had-focus");
    button.disabled = on;
    button.toggleAttribute("data-had-focus", on && hadFocus);
    // A disabled button loses the focus; give it back unless it has gone somewhere else meanwhile.
    if (!on && hadFocus && document.activeElement === document.body) button.focus({ preventScroll: true });
  }
}

function applyReply(reply, origin) {
  if (!reply) return;
  if (reply.kind === "open") return openForm(reply.form, origin);
  receive(reply.message);
  if (reply.message.thread !== origin.pane) state.shownIn.set(reply.message.id, origin.pane);
  render();
  bringIntoView(reply.message.id, origin.pane);
}

/** The start of a message matters most: a long result is shown from its top. */
function bringIntoView(id, pane) {
  const list = pane === null ? channelList : threadList;
  const node = list.find(id);
  if (!node) return;
  const tall = node.offsetHeight > list.scroller.clientHeight;
  node.scrollIntoView({ block: tall ? "start" : "nearest" });
  node.classList.add("flash");
  node.addEventListener("animationend", () => node.classList.remove("flash"), { once: true });
}

function startEdit(message) {
  state.editing.set(message.id, { text: message.text, saving: false, problem: "" });
  render();
  focusIn(message.id, "edit-text");
}

function stopEdit(id) {
  state.editing.delete(id);
  render();
  focusIn(id, "edit");
}

/** Focuses a control of a message, in the pane the reader is in. */
function focusIn(id, control) {
  const inThread = byId("thread-pane").contains(document.activeElement);
  const node = (inThread ? threadList : channelList).find(id) ?? channelList.find(id) ?? threadList.find(id);
  const target = node?.querySelector(`[data-control="${CSS.escape(control)}"]`);
  target?.focus();
  if (target?.tagName === "TEXTAREA") target.setSelectionRange(target.value.length, target.value.length);
}

async function saveEdit(message) {
  const edit = state.editing.get(message.id);
  if (!edit || edit.saving) return;
  if (edit.text === message.text) return stopEdit(message.id);
  if (!edit.text.trim()) {
    edit.problem = "A message cannot be empty. Delete it instead.";
    return changed();
  }
  edit.saving = true;
  edit.problem = "";
  changed();
  try {
    const answer = await api("PATCH", messagePath(message.id), { text: edit.text });
    if (answer?.message) merge(answer.message);
    stopEdit(message.id);
  } catch (error) {
    edit.saving = false;
    edit.problem = error.message;
    changed();
  }
}

function askDelete(id, asking) {
  if (asking) state.deleting.add(id);
  else state.deleting.delete(id);
  state.problems.delete(id);
  render();
  focusIn(id, asking ? "delete-yes" : "delete");
}

/** Deletes an own message, hides a private one. */
async function removeMessage(message) {
  state.problems.delete(message.id);
  try {
    await api("DELETE", messagePath(message.id));
    const known = state.messages.get(message.id);
    // The event with the new rev may be here already, or comes after; either way the message is gone now.
    if (known) state.messages.set(message.id, { ...known, deleted: true, text: null, message: null });
    forget(message.id);
  } catch (error) {
    if (error.status !== 401) state.problems.set(message.id, error.message);
  }
  const hadFocus = document.activeElement?.closest(".message")?.dataset.messageId === message.id;
  const inThread = byId("thread-pane").contains(document.activeElement);
  render();
  if (hadFocus && document.activeElement === document.body) (inThread ? threadComposer : composer).input.focus({ preventScroll: true });
}

// Forms. What was typed or picked and not sent is kept per action until the page is left.

const formDrafts = new Map(); // action -> { input id: text }
let openedForm = null; // { form, origin, sending, controls }

function openForm(form, origin) {
  openedForm = { form, origin, sending: false, controls: [] };
  byId("form-title").textContent = form.title;
  byId("form-submit").textContent = form.submit;
  byId("form-problem").textContent = "";
  byId("form-blocks").replaceChildren(...blockNodes(form.blocks));
  fillForm(formDrafts.get(form.action));
  const dialog = byId("form-dialog");
  if (!dialog.open) dialog.showModal();
  showForm();
}

function fillForm(draft) {
  const { form } = openedForm;
  byId("form-restored").hidden = draft === undefined;
  openedForm.controls = form.inputs.map((input) => (input.kind === "pick" ? pickControl : textControl)(input, draft?.[input.id] ?? input.value));
  byId("form-inputs").replaceChildren(...openedForm.controls.map((control) => control.row));
}

/** What can be measured and focused only once it is on screen. */
function showForm() {
  for (const text of byId("form-inputs").querySelectorAll("textarea")) grow(text);
  openedForm.controls[0]?.focus();
}

const formValues = () => Object.fromEntries(openedForm.controls.map((control) => [control.id, control.value()]));
const keepDraft = () => formDrafts.set(openedForm.form.action, formValues());
const optional = (input) => !input.required && el("span", { class: "muted" }, " (optional)");

/** Characters as the server counts them: code points, so an emoji of one is one. */
const lengthOf = (text) => [...text].length;

function textControl(input, value) {
  const id = `input-${input.id}`;
  const counter = el("small", { class: "counter", id: `${id}-count` });
  const problem = el("small", { class: "problem", id: `${id}-problem`, role: "alert" });
  const node = el(input.multiline ? "textarea" : "input", {
    id,
    "data-testid": id,
    type: input.multiline ? null : "text",
    rows: input.multiline ? 5 : null,
    placeholder: input.placeholder,
    "aria-required": input.required ? "true" : null,
    "aria-describedby": `${id}-count ${id}-problem`,
    autocomplete: "off",
    dir: "auto",
  });
  node.value = value;
  const count = () => showCount(node, counter, input.max_length);
  node.addEventListener("input", () => {
    keepDraft();
    setInputProblem(node, "");
    count();
    grow(node);
  });
  count();
  const row = el("div", { class: "form-row" },
    el("label", { for: id }, input.label, optional(input)),
    node,
    el("div", { class: "form-row-foot" }, problem, counter));
  const check = () => {
    const max = input.max_length;
    const wrong = input.required && !node.value.trim() ? "Write something here first." : lengthOf(node.value) > max ? `At most ${max} characters.` : "";
    setInputProblem(node, wrong);
    return !wrong;
  };
  return { id: input.id, row, check, value: () => node.value, focus: () => node.focus(), lock: (sending) => { node.readOnly = sending; } };
}

/** Radio buttons, or check boxes where several can be picked; the value is what is picked, joined by commas. */
function pickControl(input, value) {
  const id = `input-${input.id}`;
  const picked = value.split(",");
  const problem = el("small", { class: "problem", id: `${id}-problem`, role: "alert" });
  // A radio button cannot be taken back, so no answer is one of the answers.
  const options = input.required || input.many ? input.options : [...input.options, { value: "", label: "No answer" }];
  const boxes = options.map((option, at) => {
    const box = el("input", { type: input.many ? "checkbox" : "radio", name: id, id: `${id}-${at}`, value: option.value, "data-testid": `${id}-${option.value}` });
    box.checked = option.value !== "" && picked.includes(option.value);
    return box;
  });
  const row = el("fieldset", {
    id,
    class: "form-row pick",
    "data-testid": id,
    role: input.many ? "group" : "radiogroup",
    "aria-required": input.required && !input.many ? "true" : null,
    "aria-describedby": `${id}-problem`,
  },
  el("legend", {}, input.label, optional(input)),
  el("div", { class: "options" }, options.map((option, at) => el("label", { for: `${id}-${at}`, class: option.value === "" ? "muted" : null }, boxes[at], el("span", { dir: "auto" }, option.label)))),
  problem);
  row.addEventListener("change", () => {
    keepDraft();
    setInputProblem(row, "");
  });
  const chosen = () => boxes.filter((box) => box.checked && box.value !== "").map((box) => box.value).join(",");
  const check = () => {
    const wrong = input.required && !chosen() ? (input.many ? "Tick one at least." : "Choose one first.") : "";
    setInputProblem(row, wrong);
    return !wrong;
  };
  return { id: input.id, row, check, value: chosen, focus: () => ((!input.many && boxes.find((box) => box.checked)) || boxes[0])?.focus(), lock: (sending) => { row.disabled = sending; } };
}

/** Nothing is cut off: a text that is too long says so and waits to be shortened. */
function showCount(node, counter, max) {
  const length = lengthOf(node.value);
  counter.textContent = length > max ? `${length} / ${max}: ${length - max} too many` : `${length} / ${max}`;
  counter.classList.toggle("over", length > max);
}

function setInputProblem(node, text) {
  byId(`${node.id}-problem`).textContent = text;
  if (text) node.setAttribute("aria-invalid", "true");
  else node.removeAttribute("aria-invalid");
}

/** The first input that cannot be sent is focused. */
function checkForm() {
  const wrong = openedForm.controls.filter((control) => !control.check());
  wrong[0]?.focus();
  return wrong.length === 0;
}

async function sendForm() {
  const opened = openedForm;
  if (opened === null || opened.sending) return;
  byId("form-problem").textContent = "";
  if (!checkForm()) return;
  const { form, origin } = opened;
  setSending(opened, true);
  try {
    const { reply } = await (origin.send ?? sendToChat)(form, origin, formValues());
    formDrafts.delete(form.action);
    setSending(opened, false);
    if (reply?.kind !== "open") byId("form-dialog").close();
    (origin.show ?? applyReply)(reply, origin);
  } catch (error) {
    setSending(opened, false);
    byId("form-problem").textContent = error.message;
    byId("form-submit").focus();
  }
}

const sendToChat = (form, origin, values) =>
  api("POST", "/api/forms", { action: form.action, channel: origin.channel, message: origin.message, values });

function setSending(opened, sending) {
  opened.sending = sending;
  byId("form-submit").disabled = sending;
  for (const control of opened.controls) control.lock(sending);
}

function startForms() {
  const dialog = byId("form-dialog");
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    sendForm();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !isComposing(event)) {
      event.preventDefault();
      sendForm();
    }
  });
  // While a form is on its way Esc must not hide whether it arrived.
  dialog.addEventListener("cancel", (event) => openedForm?.sending && event.preventDefault());
  dialog.addEventListener("close", afterForm);
  for (const id of ["form-close", "form-cancel"]) byId(id).addEventListener("click", () => openedForm?.sending || dialog.close());
  byId("form-reset").addEventListener("click", () => {
    formDrafts.delete(openedForm.form.action);
    fillForm(undefined);
    showForm();
  });
}

/** Puts the focus back where the form was asked for; the button may have been drawn anew since. */
function afterForm() {
  const origin = openedForm?.origin;
  openedForm = null;
  byId("form-inputs").replaceChildren();
  if (origin?.focus) return origin.focus();
  if (!origin || state.phase !== "chat") return;
  const list = origin.pane === null ? channelList : threadList;
  const button = origin.action && list.find(origin.message)?.querySelector(`[data-action="${CSS.escape(origin.action)}"]`);
  (button || (origin.pane === null ? composer : threadComposer).input).focus({ preventScroll: true });
}

// ---- 8  Composers and command suggestions ---------------------------------------------------------------------------------

/** Enter that picks a word in an input method is not Enter. */
const isComposing = (event) => event.isComposing || event.keyCode === 229;

const DRAFT = "draft:";
const draftKey = ({ member, channel, thread }) => `${DRAFT}${member}/${channel}${thread === null ? "" : `/${thread}`}`;

function forgetDrafts() {
  formDrafts.clear();
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(DRAFT)) sessionStorage.removeItem(key);
  } catch {
    // Nothing was remembered either.
  }
}

class Composer {
  constructor(name) {
    this.form = byId(`${name}-form`);
    this.input = byId(name);
    this.button = this.form.querySelector(".send");
    this.notice = this.form.querySelector(".problem-notice");
    this.target = null; // { member, channel, thread }
    this.attempt = null; // { text, key } of a send that may or may not have arrived
    this.sending = false;
    this.suggestions = null;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.input.addEventListener("input", () => this.onInput());
    this.input.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** Shows the draft of another channel or thread; the one before is saved already, with every key. */
  aim(target) {
    this.target = target;
    const draft = target && parse(recall("sessionStorage", draftKey(target)) ?? "");
    this.attempt = draft?.attempt ?? null;
    this.input.value = draft?.text ?? "";
    this.showProblem("");
    this.suggestions?.close();
    this.refresh();
  }

  /** Puts a text in as if it had been typed. */
  put(text) {
    this.input.value = text;
    this.input.focus();
    this.input.setSelectionRange(text.length, text.length);
    this.onInput();
  }

  onInput() {
    this.save();
    if (this.attempt?.text !== this.input.value) this.showProblem("");
    this.refresh();
    this.suggestions?.update(this.input.value);
  }

  refresh() {
    grow(this.input);
    this.button.disabled = this.sending || !this.input.value.trim();
    this.form.classList.toggle("sending", this.sending);
    this.input.readOnly = this.sending;
  }

  save() {
    if (!this.target) return;
    const text = this.input.value;
    remember("sessionStorage", draftKey(this.target), text ? JSON.stringify({ text, attempt: this.attempt }) : null);
  }

  onKey(event) {
    if (isComposing(event) || this.suggestions?.onKey(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    }
  }

  async send() {
    const { target } = this;
    const text = this.input.value;
    if (this.sending || !target || !text.trim()) return;
    this.suggestions?.close();
    // The same text again is a retry: with the same key the server posts it only once.
    if (this.attempt?.text !== text) this.attempt = { text, key: randomKey() };
    const { key } = this.attempt;
    this.save();
    this.sending = true;
    this.showProblem("");
    this.refresh();
    const mine = state;
    try {
      const { message, reply } = await api("POST", channelPath(target.channel, "messages"), { text, thread: target.thread, key });
      remember("sessionStorage", draftKey(target), null);
      if (this.isAt(target)) this.clear();
      if (mine !== state) return;
      if (message) receive(message);
      if (reply) applyReply(reply, { channel: target.channel, message: null, action: null, pane: target.thread });
    } catch (error) {
      if (this.isAt(target)) this.showProblem(error.message);
    } finally {
      this.sending = false;
      this.refresh();
      changed();
    }
  }

  isAt(target) {
    return this.target !== null && draftKey(this.target) === draftKey(target);
  }

  clear() {
    this.attempt = null;
    this.input.value = "";
  }

  showProblem(text) {
    this.notice.hidden = text === "";
    this.notice.replaceChildren();
    if (text === "") return;
    this.notice.append(
      el("span", { role: "alert" }, `Not sent. ${text}`),
      el("button", { type: "button", class: "button secondary small", click: () => { this.input.focus(); this.send(); } }, "Try again"));
  }
}

const SUGGEST_AFTER_MS = 90;

/** The list of commands above the composer. Nothing is highlighted until an arrow key asks for it, so Enter sends. */
class Suggestions {
  constructor(owner) {
    this.owner = owner;
    this.list = byId("suggestions");
    this.found = [];
    this.highlighted = -1;
    this.timer = 0;
    this.request = null;
    owner.input.addEventListener("blur", () => this.close());
  }

  update(text) {
    this.stop();
    if (!text.startsWith("/") || text.includes("\n")) return this.close();
    this.highlighted = -1;
    this.render();
    this.timer = setTimeout(() => this.ask(text), SUGGEST_AFTER_MS);
  }

  /** Forgets a question under way: its answer would be about a text that is no longer there. */
  stop() {
    clearTimeout(this.timer);
    this.request?.abort();
  }

  async ask(text) {
    this.request = new AbortController();
    try {
      const query = new URLSearchParams({ channel: this.owner.target.channel, text });
      const { suggestions } = await api("GET", `/api/complete?${query}`, undefined, this.request.signal);
      if (document.activeElement === this.owner.input) this.show(suggestions);
    } catch (error) {
      // Suggestions are a help, not a need: commands work without. An aborted question has a successor, leave that alone.
      if (error.name !== "AbortError") this.close();
    }
  }

  show(found) {
    if (found.length > 0 && found.length !== this.found.length) announce(plural(found.length, "suggestion", "suggestions"));
    this.found = found;
    this.highlighted = -1;
    this.render();
  }

  close() {
    this.stop();
    this.found = [];
    this.highlighted = -1;
    this.render();
  }

  render() {
    const { list, found, highlighted } = this;
    list.hidden = found.length === 0;
    fill(list, JSON.stringify(found), () => found.map((suggestion, index) => this.option(suggestion, index)));
    [...list.children].forEach((option, index) => option.setAttribute("aria-selected", String(index === highlighted)));
    list.children[highlighted]?.scrollIntoView({ block: "nearest" });
    const { input } = this.owner;
    if (highlighted < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", list.children[highlighted].id);
  }

  option(suggestion, index) {
    return el("div", {
      id: `suggestion-${index}`,
      role: "option",
      pointerdown: (event) => event.preventDefault(), // keeps the focus, and with it the list
      click: () => this.insert(suggestion),
    }, el("strong", {}, suggestion.label), el("span", { class: "muted" }, suggestion.help));
  }

  insert(suggestion) {
    this.owner.put(suggestion.insert);
  }

  /** True if the key was for the list. */
  onKey(event) {
    if (this.found.length === 0) return false;
    const chosen = this.found[this.highlighted];
    switch (event.key) {
      case "ArrowDown":
        this.highlighted = (this.highlighted + 1) % this.found.length;
        break;
      case "ArrowUp":
        this.highlighted = (this.highlighted <= 0 ? this.found.length : this.highlighted) - 1;
        break;
      case "Escape":
        event.stopPropagation();
        this.close();
        break;
      case "Tab":
        if (event.shiftKey) return false;
        this.insert(chosen ?? this.found[0]);
        break;
      case "Enter":
        if (event.shiftKey || !chosen || chosen.insert.trim() === this.owner.input.value.trim()) return false;
        this.insert(chosen);
        break;
      default:
        return false;
    }
    event.preventDefault();
    this.render();
    return true;
  }
}

// ---- 9  Live updates --------------------------------------------------------------------------------------------------------

const RETRY_MAX_MS = 30_000;
const STALE_AFTER_MS = 60_000;

const live = { source: null, failures: 0, timer: 0, hiddenSince: null, greeted: false };

function connect() {
  disconnect();
  if (state.phase !== "chat") return;
  const source = new EventSource(`/api/events?after=${state.cursor ?? 0}`);
  live.source = source;
  source.addEventListener("hello", (event) => onHello(JSON.parse(event.data)));
  source.addEventListener("message", (event) => onLiveMessage(event));
  // The browser goes on by itself after a dropped connection, but gives up when the answer is not a stream.
  source.addEventListener("error", () => {
    state.connection = "lost";
    changed();
    if (source.readyState === EventSource.CLOSED) retryLater();
  });
}

function disconnect() {
  clearTimeout(live.timer);
  live.source?.close();
  live.source = null;
}

function onHello(hello) {
  setClock(hello);
  live.failures = 0;
  state.connection = "live";
  // Revisions only rise. Fewer than before the break: another database answers, and nothing on screen can be trusted.
  if (live.greeted && hello.rev < (state.cursor ?? 0)) return location.reload();
  live.greeted = true;
  tick();
  changed();
}

function onLiveMessage(event) {
  const message = JSON.parse(event.data);
  // Only what came through the stream, in its order, moves the cursor: a send's answer may be ahead of it.
  state.cursor = Math.max(state.cursor ?? 0, message.rev);
  receive(message);
  changed();
}

/** Takes a message in and, if it is new to the reader, says so. */
function receive(message) {
  const isNew = merge(message);
  if (!isNew || message.mine || message.deleted) return;
  if (document.hidden) state.missed += 1;
  const inChannel = message.channel === state.channel;
  if (!inChannel && message.thread === null) state.unread.set(message.channel, (state.unread.get(message.channel) ?? 0) + 1);
  if (inChannel && (message.thread === null || message.thread === state.thread)) announceMessage(message);
  renderTitle();
}

async function retryLater() {
  disconnect();
  const wait = Math.min(RETRY_MAX_MS, 1000 * 2 ** live.failures) * (0.75 + Math.random() / 2);
  live.failures += 1;
  live.timer = setTimeout(async () => {
    try {
      setClock(await api("GET", "/api/session"));
      connect();
    } catch (error) {
      if (error.status === 401) leave("Your session has ended. Sign in again to go on; what you typed is kept.", error.tokenRequired);
      else retryLater();
    }
  }, wait);
}

/** A laptop that slept may hold a dead connection without knowing: after a while away, begin a new one. */
function startLive() {
  addEventListener("online", connect);
  addEventListener("pageshow", (event) => event.persisted && connect());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      live.hiddenSince = Date.now();
      return;
    }
    state.missed = 0;
    renderTitle();
    tick();
    if (Date.now() - (live.hiddenSince ?? Date.now()) > STALE_AFTER_MS) connect();
  });
}

// Announcements for screen readers. A burst (after a reconnect) is summed up instead of read out.

const ANNOUNCE_AFTER_MS = 300;
const ANNOUNCE_MOST = 3;
const announcements = [];

function announceMessage(message) {
  const words = message.message ? message.message.summary : message.text ?? "";
  announce(`${message.private ? "Only for you, " : ""}${message.author.name}: ${words.slice(0, 240)}`);
}

function announce(text) {
  announcements.push(text);
  if (announcements.length === 1) setTimeout(speak, ANNOUNCE_AFTER_MS);
}

function speak() {
  const texts = announcements.splice(0);
  const spoken = texts.length > ANNOUNCE_MOST ? [plural(texts.length, "new message", "new messages")] : texts;
  for (const text of spoken) {
    const line = el("p", {}, text);
    byId("announcer").append(line);
    setTimeout(() => line.remove(), 10_000);
  }
}

// ---- 10  Places, rendering, signing in, start -----------------------------------------------------------------------------------

const PHONE = matchMedia("(max-width: 760px)");

/** The address says what is on screen: `#channel` or `#channel/thread`. So Back closes a thread on a phone. */
function readPlace() {
  try {
    const [channel = "", thread = ""] = location.hash.slice(1).split("/").map(decodeURIComponent);
    return { channel, thread: thread || null };
  } catch {
    return { channel: "", thread: null };
  }
}

const placeHash = (channel, thread = null) => `#${encodeURIComponent(channel)}${thread === null ? "" : `/${encodeURIComponent(thread)}`}`;

function applyPlace() {
  if (state.phase !== "chat") return;
  const place = readPlace();
  const known = state.channels.some((channel) => channel.id === place.channel);
  showChannel(known ? place.channel : state.channels[0]?.id ?? null);
  showThread(known ? place.thread : null);
  showMenu(false);
  render();
}

function showChannel(channel) {
  if (channel === null || channel === state.channel) return;
  state.channel = channel;
  state.unread.delete(channel);
  channelList.reset();
  composer.aim({ member: state.member.id, channel, thread: null });
  composer.input.placeholder = `Message #${channelName(channel)}`;
  if (!pageOf(channel).loaded) loadMessages(channel);
}

const channelName = (id) => state.channels.find((channel) => channel.id === id)?.name ?? id;

function openThread(root) {
  if (state.thread === root) return byId("thread-composer").focus();
  history.pushState({ fromChannel: true }, "", placeHash(state.channel, root));
  applyPlace();
}

function closeThread() {
  if (state.thread === null) return;
  if (history.state?.fromChannel) return history.back();
  history.replaceState(null, "", placeHash(state.channel));
  applyPlace();
}

function showThread(root) {
  const previous = state.thread;
  if (root === previous) return;
  state.thread = root;
  threadComposer.aim(root === null ? null : { member: state.member.id, channel: state.channel, thread: root });
  threadList.reset();
  if (root !== null && !state.threads.get(root)?.loaded) loadThread(root);
  render();
  threadComposer.refresh(); // it can be measured only now that it is on screen
  if (root === null) focusOpener(previous);
  // On a phone a focused composer would cover half the thread with the keyboard.
  else if (PHONE.matches) byId("thread-pane").focus({ preventScroll: true });
  else threadComposer.input.focus({ preventScroll: true });
}

function focusOpener(root) {
  const button = channelList.find(root)?.querySelector("[data-testid=open-thread]");
  (button ?? (PHONE.matches ? channelList.scroller : composer.input)).focus({ preventScroll: true });
}

function showMenu(open) {
  const toggle = byId("menu-toggle");
  if ((toggle.getAttribute("aria-expanded") === "true") === open) return;
  toggle.setAttribute("aria-expanded", String(open));
  byId("workspace").classList.toggle("menu-open", open);
  renderInert();
  if (open) byId("sidebar").querySelector("a")?.focus();
  else toggle.focus({ preventScroll: true });
}

/** What is covered, by the menu or on a phone by the thread, is out of reach for the keyboard and screen readers too. */
function renderInert() {
  const menu = byId("workspace").classList.contains("menu-open");
  const covered = PHONE.matches && state.thread !== null;
  byId("channel-pane").inert = menu || covered;
  byId("thread-pane").inert = menu;
  document.querySelector(".top").inert = covered;
}

// Rendering

let scheduled = false;

/** Many changes in one frame are one render. A hidden tab has no frames. */
function changed() {
  if (scheduled) return;
  scheduled = true;
  if (document.hidden) setTimeout(render, 100);
  else requestAnimationFrame(render);
}

function render() {
  scheduled = false;
  renderPhase();
  if (state.phase !== "chat") return;
  renderHeader();
  renderChannels();
  renderConnection();
  renderChannelPane();
  renderThreadPane();
  renderInert();
  renderTitle();
}

function renderPhase() {
  byId("starting").hidden = state.phase !== "starting";
  byId("signin").hidden = state.phase !== "signin";
  for (const node of document.querySelectorAll(".in-chat, #skip")) node.hidden = state.phase !== "chat";
  byId("rehearsal").hidden = state.phase !== "chat" || clock.speed === 1;
}

function renderHeader() {
  const channel = state.channels.find(({ id }) => id === state.channel);
  byId("channel-name").textContent = channel ? `#${channel.name}` : "";
  byId("thread-channel").textContent = byId("channel-name").textContent;
  byId("channel-about").textContent = channel?.about ?? "";
  byId("channel-about").title = channel?.about ?? "";
  byId("rehearsal").textContent = `${clock.speed}× time`;
  byId("rehearsal").title = `A rehearsal: time runs ${clock.speed} times as fast`;
  for (const node of document.querySelectorAll("[data-my-name]")) node.textContent = state.member.name;
  for (const node of document.querySelectorAll("[data-for-organisers]")) node.hidden = !state.member.organiser;
  for (const link of document.querySelectorAll("[data-page]")) link.href = channel ? `/${link.dataset.page}/${encodeURIComponent(channel.id)}` : "/";
}

function renderChannels() {
  const list = byId("channels");
  fill(list, JSON.stringify(state.channels), () => state.channels.map(({ id, name, about }) =>
    el("li", {}, el("a", { href: placeHash(id), title: about, "data-channel": id }, el("span", { class: "hash", "aria-hidden": "true" }, "#"), el("bdi", {}, name), el("span", { class: "unread" })))));
  for (const link of list.querySelectorAll("a")) {
    const unread = state.unread.get(link.dataset.channel) ?? 0;
    if (link.dataset.channel === state.channel) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    fill(link.querySelector(".unread"), unread, () => unread > 0 && [String(unread), el("span", { class: "sr-only" }, " new")]);
  }
}

function renderConnection() {
  const lost = state.connection === "lost";
  const node = byId("connection");
  node.textContent = lost ? "Reconnecting…" : state.notice;
  node.classList.toggle("lost", lost);
}

function renderTitle() {
  const name = state.channel ? `${channelName(state.channel)} · drillbot` : "drillbot";
  document.title = state.missed > 0 ? `(${state.missed}) ${name}` : name;
}

function renderChannelPane() {
  if (state.channel === null) return fill(byId("channel-start"), "none", () => el("p", { class: "muted" }, "This bot has no channels yet."));
  const page = pageOf(state.channel);
  const messages = page.loaded ? channelMessages() : [];
  const heldFocus = channelList.start.contains(document.activeElement);
  fill(channelList.start, JSON.stringify([state.channel, page.problem, page.reading !== null, page.more, page.loaded, messages.length === 0]), () => startNodes(page, messages.length === 0));
  // "Earlier messages" gives way to "Loading…": do not drop whoever pressed it.
  if (heldFocus && document.activeElement === document.body) channelList.scroller.focus({ preventScroll: true });
  channelList.render(messages, channelRows(messages));
  // Nothing to scroll yet, but more to read: a tall window would never ask.
  if (page.more && channelList.scroller.scrollHeight <= channelList.scroller.clientHeight) loadEarlier();
}

/** What stands above the first message. */
function startNodes(page, empty) {
  const again = () => loadMessages(state.channel);
  if (page.problem) return [el("p", { class: "problem", role: "alert" }, page.problem), el("button", { type: "button", class: "button secondary small", click: again }, "Try again")];
  if (page.reading) return el("p", { class: "muted loading" }, "Loading…");
  if (page.more) return el("button", { type: "button", class: "button secondary small", click: again }, "Earlier messages");
  if (page.loaded && empty) return emptyNodes();
  return page.loaded && el("p", { class: "muted" }, `This is where #${channelName(state.channel)} begins.`);
}

const FIRST_STEPS = [
  ["/daily now", "Post a question for everyone"],
  ["/drill iam", "Practise a topic in private"],
  ["/leaderboard", "See who leads"],
  ["/help", "See everything I can do"],
];

function emptyNodes() {
  return el("div", { class: "empty" },
    el("img", { src: "/assets/favicon.svg", alt: "", width: 56, height: 56 }),
    el("h2", {}, `Welcome to #${channelName(state.channel)}`),
    el("p", { class: "muted" }, "Nothing has been asked here yet. Begin with one of these, or just say hello:"),
    el("ul", { class: "chips", role: "list" }, FIRST_STEPS.map(([command, about]) =>
      el("li", {}, el("button", { type: "button", class: "chip", "data-command": command, click: () => composer.put(command) }, el("strong", {}, command), el("span", {}, about))))));
}

function renderThreadPane() {
  const open = state.thread !== null;
  byId("thread-pane").hidden = !open;
  byId("workspace").classList.toggle("with-thread", open);
  if (!open) return;
  const thread = state.threads.get(state.thread);
  const messages = thread?.loaded ? threadMessages() : [];
  fill(threadList.start, JSON.stringify([state.thread, thread]), () => threadStartNodes(thread));
  threadList.render(messages, threadRows(messages));
}

function threadStartNodes(thread) {
  if (thread?.problem) return [el("p", { class: "problem", role: "alert" }, thread.problem), el("button", { type: "button", class: "button secondary small", click: () => loadThread(state.thread) }, "Try again")];
  return thread?.loading && el("p", { class: "muted loading" }, "Loading…");
}

// Signing in and out

let lastMember = null; // a session that ends keeps what was typed, but for nobody else

async function enter(session) {
  const mine = (state = freshState());
  setClock(session);
  if (session.member.id !== lastMember) formDrafts.clear();
  lastMember = session.member.id;
  const { channels } = await api("GET", "/api/channels");
  if (mine !== state) return;
  Object.assign(state, { phase: "chat", member: session.member, channels });
  composer.aim(null);
  render();
  applyPlace();
  if (!PHONE.matches && state.thread === null) composer.input.focus({ preventScroll: true });
  if (state.channel !== null) await firstPage(state.channel);
  if (mine === state) connect();
}

/** Live updates begin where the first reading of messages ended, so that reading has to succeed once. */
async function firstPage(channel) {
  const mine = state;
  while (mine === state && state.cursor === null) {
    await loadMessages(channel);
    if (state.cursor === null) await new Promise((done) => setTimeout(done, 1000));
  }
}

/** Back to the sign-in screen. Nothing of the member stays in memory but what they typed and did not send. */
function leave(notice = "", tokenRequired = false) {
  if (!document.body.classList.contains("chat")) return location.assign("/");
  disconnect();
  state = freshState();
  state.phase = "signin";
  if (byId("form-dialog").open) byId("form-dialog").close();
  byId("signin-notice").textContent = notice;
  byId("signin-notice").hidden = notice === "";
  if (tokenRequired) byId("signin-token-row").hidden = false;
  document.title = "Sign in · drillbot";
  channelList.reconcile([]);
  threadList.reconcile([]);
  render();
  byId("signin-name").focus();
  if (notice && !tokenRequired) askAboutToken();
}

/** Only GET /api/session says whether a token is needed. */
async function askAboutToken() {
  try {
    await api("GET", "/api/session");
  } catch (error) {
    if (error.tokenRequired) byId("signin-token-row").hidden = false;
  }
}

async function signIn(event) {
  event.preventDefault();
  const button = byId("signin-form").querySelector("[type=submit]");
  const name = byId("signin-name").value.trim();
  const tokenNeeded = !byId("signin-token-row").hidden;
  if (!name) return signInProblem("Say what to call you.", "signin-name");
  if (tokenNeeded && !byId("signin-token").value) return signInProblem("This bot asks for its access token.", "signin-token");
  button.disabled = true;
  signInProblem("");
  try {
    await api("POST", "/api/session", tokenNeeded ? { name, token: byId("signin-token").value } : { name });
    const session = await api("GET", "/api/session");
    byId("signin-token").value = "";
    await enter(session);
  } catch (error) {
    if (error.tokenRequired) byId("signin-token-row").hidden = false;
    state.phase = "signin";
    render();
    signInProblem(error.message, error.tokenRequired ? "signin-token" : "signin-name");
  } finally {
    button.disabled = false;
  }
}

function signInProblem(text, focus) {
  byId("signin-problem").textContent = text;
  if (focus) byId(focus).focus();
}

async function signOut() {
  try {
    await api("DELETE", "/api/session");
    forgetDrafts();
    leave();
    askAboutToken();
  } catch (error) {
    if (state.phase !== "chat") return;
    state.notice = `You are still signed in. ${error.message}`;
    changed();
    setTimeout(() => {
      state.notice = "";
      changed();
    }, 8000);
  }
}

// Start

async function start() {
  try {
    await enter(await api("GET", "/api/session"));
  } catch (error) {
    if (error.status === 401) return leave("", error.tokenRequired);
    byId("starting").textContent = "drillbot does not answer just now. Trying again…";
    setTimeout(start, 3000);
  }
}

/** `/` goes to the message box, Esc closes what is open. Keys typed into a field or a dialog are left alone. */
function onGlobalKey(event) {
  if (state.phase !== "chat" || isComposing(event) || byId("form-dialog").open) return;
  if (event.key === "Escape") {
    if (byId("workspace").classList.contains("menu-open")) showMenu(false);
    else closeThread();
    return;
  }
  const typing = event.target.closest?.("input, textarea, select");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  focusComposer();
}

function focusComposer() {
  (byId("channel-pane").inert ? threadComposer : composer).input.focus();
}

let channelList;
let threadList;
let composer;
let threadComposer;

function startChat() {
  channelList = new MessageList("channel", { onTop: loadEarlier });
  threadList = new MessageList("thread", { beginAt: beginOfReveal });
  composer = new Composer("composer");
  composer.suggestions = new Suggestions(composer);
  threadComposer = new Composer("thread-composer");
  startForms();
  startLive();
  byId("signin-form").addEventListener("submit", signIn);
  byId("close-thread").addEventListener("click", closeThread);
  byId("menu-toggle").addEventListener("click", () => showMenu(!byId("workspace").classList.contains("menu-open")));
  // A tap beside the open menu closes it.
  byId("workspace").addEventListener("click", (event) => event.target === byId("workspace") && showMenu(false));
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    focusComposer();
  });
  for (const button of document.querySelectorAll("[data-sign-out]")) button.addEventListener("click", signOut);
  document.addEventListener("keydown", onGlobalKey);
  PHONE.addEventListener("change", renderInert);
  addEventListener("popstate", applyPlace);
  setInterval(tick, 1000);
  start();
}

/** The pages beside the chat come ready from the server; here they only get the reader's theme and time zone. */
function startPage() {
  for (const node of document.querySelectorAll('time[datetime][data-style="full"]')) {
    const at = Date.parse(node.dateTime);
    node.title = TITLE.format(at);
    node.textContent = FULL.format(at);
  }
  if (byId("queue")) startReview();
}

// ---- 11  The review queue -------------------------------------------------------------------------------------------------------

const NOTHING_THERE = {
  open: "Nothing waits for you.",
  suggestions: "No suggestion waits.",
  flags: "No flag waits.",
  decided: "Nothing was decided yet.",
};

function startReview() {
  startForms();
  loadQueue();
}

const queuePath = (rest = "") => channelPath(byId("queue").dataset.channel, `review${rest}`);

/** Reads the queue again and draws it; what is said about the last decision stays. */
async function loadQueue() {
  const queue = byId("queue");
  try {
    const { items } = await api("GET", queuePath(`?show=${queue.dataset.show}`));
    queue.replaceChildren(...(items.length > 0 ? items.map(queueCard) : [el("p", { class: "muted" }, NOTHING_THERE[queue.dataset.show])]));
    byId("queue-problem").textContent = "";
  } catch (error) {
    byId("queue-problem").textContent = error.message;
    queue.replaceChildren(el("button", { type: "button", class: "button secondary", click: loadQueue }, "Try again"));
  }
  queue.setAttribute("aria-busy", "false");
}

function queueCard({ id, message }) {
  const [heading, ...blocks] = message.blocks;
  const tone = message.tone in TONES ? message.tone : "plain";
  const buttons = message.buttons ?? [];
  return el("article", { class: "card", "data-tone": tone, "data-testid": "queue-item", "data-item": id, tabindex: -1, "aria-label": heading.text },
    el("div", { class: "blocks" }, blockNodes([heading]), blockNodes(blocks)),
    el("p", { class: "problem", role: "alert" }),
    buttons.length > 0 && el("div", { class: "buttons" }, buttons.map(({ action, label, style }) =>
      el("button", { type: "button", class: `button ${style}`, "data-action": action, click: () => decide(id, action) }, label))));
}

const queueItem = (id) => document.querySelector(`[data-item="${CSS.escape(id)}"]`);

async function decide(id, action) {
  const card = queueItem(id);
  const all = [...card.querySelectorAll("button")];
  for (const button of all) button.disabled = true;
  card.querySelector(".problem").textContent = "";
  try {
    const { reply } = await api("POST", queuePath(), { action });
    showDecision(reply, { id, action });
  } catch (error) {
    card.querySelector(".problem").textContent = error.message;
  } finally {
    for (const button of all) button.disabled = false;
  }
}

/** A form to fill in, or what became of the decision. */
async function showDecision(reply, { id, action }) {
  if (reply.kind === "open") {
    return openForm(reply.form, {
      id,
      action,
      send: (form, _, values) => api("POST", queuePath(), { action: form.action, values }),
      show: (next) => showDecision(next, { id, action }),
      focus: () => (queueItem(id)?.querySelector(`[data-action="${CSS.escape(action)}"]`) ?? byId("queue")).focus?.(),
    });
  }
  const mend = reply.message.tone === "warning" && reply.message.buttons?.find((button) => button.action === action);
  if (mend) {
    // What was typed is kept there: the form opens again with it, and says what is wrong.
    const { reply: form } = await api("POST", queuePath(), { action });
    showDecision(form, { id, action });
    byId("form-problem").textContent = reply.message.summary;
    return;
  }
  const notice = byId("queue-notice");
  const end = reply.message.blocks.findIndex((block) => block.kind === "divider");
  notice.replaceChildren(...blockNodes(end < 0 ? reply.message.blocks : reply.message.blocks.slice(0, end)));
  notice.hidden = false;
  notice.dataset.tone = reply.message.tone === "warning" ? "warning" : "good";
  const place = [...document.querySelectorAll("[data-item]")].findIndex((node) => node.dataset.item === id);
  await loadQueue();
  const left = document.querySelectorAll("[data-item]");
  (left[Math.min(Math.max(place, 0), left.length - 1)] ?? notice).focus?.({ preventScroll: true });
}

startTheme();
if (document.body.classList.contains("chat")) startChat();
else startPage();
