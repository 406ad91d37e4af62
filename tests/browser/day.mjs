// Plays a whole day with two members in a real browser, against the real bot.
//
//   node day.mjs            DRILLBOT=../../target/debug/drillbot  CHROMIUM=/usr/bin/chromium  SHOTS=0 for no screenshots
//
// Prints one line per step and at last "20 passed, 0 failed". A step that fails ends the day: what follows builds on it.

import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, "../..");
const BINARY = resolve(process.env.DRILLBOT ?? join(ROOT, "target/debug/drillbot"));
const SHOTS = process.env.SHOTS === "0" ? null : join(HERE, "screenshots");
const REVEAL = "25s";
const PATIENCE_MS = 10_000;
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

// ---- The bot ----------------------------------------------------------------------------------------------------------

class Bot {
  constructor(folder) {
    this.folder = folder;
    this.listen = "127.0.0.1:0";
    this.log = "";
  }

  async start() {
    this.process = spawn(BINARY, ["--demo", "--reveal", REVEAL], {
      cwd: this.folder,
      env: {
        ...process.env,
        DRILLBOT_WEB_LISTEN: this.listen,
        DRILLBOT_DATABASE_URL: `sqlite:${join(this.folder, "day.db")}`,
        DRILLBOT_DAILY_TOPICS: "iam",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const running = this.process;
    const gone = new Promise((_, fail) => running.once("exit", (code) => fail(new Error(`the bot ended (${code}):\n${this.log}`))));
    gone.catch(() => {});
    const ready = new Promise((done) => {
      let text = "";
      const read = (chunk) => {
        this.log += chunk;
        text += chunk;
        const found = /ready in .*: (http:\/\/[\d.]+:\d+)/.exec(text);
        if (found) done(found[1]);
      };
      running.stdout.on("data", read);
      running.stderr.on("data", read);
    });
    this.url = await within(20_000, Promise.race([ready, gone]), () => `the bot was not ready within 20 s:\n${this.log}`);
    this.listen = new URL(this.url).host; // so that it comes back at the same address
  }

  async stop() {
    if (!this.process || this.process.exitCode !== null) return;
    const ended = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGTERM");
    await within(10_000, ended, () => "the bot did not stop within 10 s of SIGTERM").catch((error) => {
      this.process.kill("SIGKILL");
      throw error;
    });
  }
}

/** The question with this prompt, as far as the test needs it, read from the banks in content/. */
function lookUp(prompt) {
  for (const file of readdirSync(join(ROOT, "content")).filter((name) => name.endsWith(".toml"))) {
    const parts = readFileSync(join(ROOT, "content", file), "utf8").split(/^\[\[question\]\]$/m);
    const found = parts.find((part) => plain(/^prompt = "(.*)"$/m.exec(part)?.[1] ?? "") === plain(prompt));
    if (!found) continue;
    return {
      answer: /model_answer = """([^]*?)"""/.exec(found)[1].trim().replace(/\s+/g, " ").replace(/`|\*\*/g, ""),
      mistakes: /^mistakes = \[/m.test(found),
      references: /^references = \[/m.test(found),
    };
  }
  throw new Error(`no bank in content/ has the question "${prompt}"`);
}

const plain = (text) => text.replace(/\\"/g, '"').replace(/`|\*\*/g, "").replace(/\s+/g, " ").trim();

// ---- Small helpers ----------------------------------------------------------------------------------------------------

function within(ms, promise, complaint) {
  let timer;
  const late = new Promise((_, fail) => { timer = setTimeout(() => fail(new Error(complaint())), ms); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function check(right, complaint) {
  if (!right) throw new Error(complaint);
}

const same = (got, wanted, what) => check(got === wanted, `${what}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(got)}`);

/** Waits until `locator` is to be seen; says what was missed otherwise. */
async function see(locator, what, timeout = PATIENCE_MS) {
  await locator.first().waitFor({ state: "visible", timeout }).catch(() => { throw new Error(`not seen within ${timeout / 1000} s: ${what}`); });
  return locator.first();
}

async function gone(locator, what) {
  await locator.first().waitFor({ state: "hidden", timeout: PATIENCE_MS }).catch(() => { throw new Error(`still there: ${what}`); });
}

/** Waits until `ask` answers with something true. */
async function until(ask, what, timeout = PATIENCE_MS) {
  const end = Date.now() + timeout;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    check(Date.now() < end, `did not happen within ${timeout / 1000} s: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not there.
      }
    }
  }
  throw new Error("no Chromium: install chromium or google-chrome, or say where it is with CHROMIUM=/path/to/chromium");
}

// ---- A member in a browser of their own ---------------------------------------------------------------------------------

/** What went wrong in any window. Whatever is in here fails the step in which it came. */
const noise = [];
let botIsAway = false;

class Member {
  constructor(name, page) {
    this.name = name;
    this.page = page;
    this.channel = page.locator("#channel-messages");
    this.thread = page.getByTestId("thread-panel");
    this.composer = page.getByTestId("composer");
    this.dialog = page.getByTestId("form-dialog");
    page.on("pageerror", (error) => noise.push(`${name}: uncaught ${error}`));
    page.on("dialog", (dialog) => {
      noise.push(`${name}: a dialog opened: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on("console", (message) => {
      if (!["error", "warning"].includes(message.type())) return;
      const from = message.location().url;
      // Not signed in yet is how the page learns that it has to ask; and a bot that is away cannot be reached.
      if (/status of 401/.test(message.text()) && from.endsWith("/api/session")) return;
      if (botIsAway && /ERR_|Failed to load resource/.test(message.text())) return;
      noise.push(`${name}: console ${message.type()}: ${message.text()} (${from})`);
    });
  }

  static async arrive(browser, name, options = {}) {
    const context = await browser.newContext({
      locale: "en-GB", timezoneId: "Europe/London", viewport: DESKTOP, colorScheme: "light", reducedMotion: "reduce", ...options,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    // Said through the console, so that it fails the step like any other error.
    await context.addInitScript(() => addEventListener("securitypolicyviolation", (event) =>
      console.error(`CSP violation: ${event.violatedDirective} ${event.blockedURI}`)));
    return new Member(name, await context.newPage());
  }

  async signIn(url) {
    await this.page.goto(url);
    await see(this.page.getByTestId("signin-form"), `${this.name}'s sign-in form`);
    await this.page.getByTestId("name").fill(this.name);
    await this.page.keyboard.press("Enter");
    await see(this.composer, `${this.name}'s message box after signing in`);
  }

  /** The newest card with this heading or text. */
  card(text, where = this.channel) {
    return where.locator(".message:has(.card)").filter({ hasText: text }).last();
  }

  /** The public card of a question. */
  question(prompt) {
    return this.channel.locator(".message:not(.private):has(.card)").filter({ hasText: prompt }).last();
  }

  messages(where = this.channel) {
    return where.locator("[data-testid=message]");
  }

  async say(text) {
    const before = await this.messages().count();
    await this.composer.fill(text);
    await this.composer.press("Enter");
    await until(async () => (await this.messages().count()) > before, `${this.name} sees something after sending "${text}"`);
  }

  /** A slash command; answers with the private message that came back. */
  async command(text) {
    await this.say(text);
    return this.pinned(this.messages().last());
  }

  /** The same message, whatever comes after it. */
  async pinned(message) {
    return this.channel.locator(`[data-message-id="${await message.getAttribute("data-message-id")}"]`);
  }

  /** The label of what is picked in the open form. */
  async picked() {
    return (await this.dialog.locator("label:has(input:checked)").allTextContents()).join(", ");
  }

  async answerForm(text) {
    await see(this.dialog, `${this.name}'s answer form`);
    await this.page.getByTestId("input-answer").fill(text);
    await this.page.getByTestId("form-submit").click();
    await gone(this.dialog, `${this.name}'s answer form after it was sent`);
  }
}

const button = (message, name) => message.getByRole("button", { name });

/** One view at both sizes, light and dark. */
async function shoot({ page }, name, { sizes = [["desktop", DESKTOP], ["phone", PHONE]], top = null } = {}) {
  if (!SHOTS) return;
  for (const [size, viewport] of sizes) {
    await page.setViewportSize(viewport);
    for (const scheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: scheme });
      if (top) await top.evaluate((node) => node.scrollIntoView({ block: "start" }));
      await page.screenshot({ path: join(SHOTS, `${name}-${size}-${scheme}.png`) });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(DESKTOP);
}

/** Nothing may be wider than the window, or a phone would scroll sideways. */
async function fits({ page, name }, what) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  check(over <= 0, `${what} is ${over} px wider than ${name}'s window`);
}

// ---- Steps ------------------------------------------------------------------------------------------------------------

const began = Date.now();
let passed = 0;
let failed = 0;
const members = [];

async function step(name, play) {
  if (failed > 0) return;
  const start = Date.now();
  try {
    await play();
    check(noise.length === 0, `the browser complained:\n    ${noise.join("\n    ")}`);
    passed += 1;
    console.log(`ok      ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n    ${error.message.split("\n").slice(0, 12).join("\n    ")}`);
    for (const line of noise) console.log(`    ${line}`);
    for (const { page, name: who } of members) {
      await page.screenshot({ path: join(HERE, "screenshots", `failed-${who}.png`) }).catch(() => {});
    }
  }
}

async function day(bot, browser) {
  let ann;
  let bob;
  let question;
  let prompt;
  const answered = (member) => member.question(prompt).locator(".fields div", { hasText: "Answered" }).locator("dd");

  await step("Ann and Bob sign in, with nothing but the keyboard", async () => {
    ann = await Member.arrive(browser, "Ann");
    bob = await Member.arrive(browser, "Bob");
    members.push(ann, bob);
    await ann.signIn(bot.url);
    await bob.signIn(bot.url);
    check(await ann.composer.evaluate((node) => node === document.activeElement), "the message box has the focus after signing in");
    same(await ann.page.locator(".top [data-my-name]").textContent(), "Ann", "the name in the header");
  });

  await step("the question's card is there", async () => {
    const card = await see(ann.channel.locator(".card[data-tone=question]"), "an open question");
    prompt = (await card.locator("h2").first().textContent()).trim();
    question = lookUp(prompt);
    for (const words of ["Topic", "Level", "Answered", "nobody yet", "Reveal"]) check((await card.textContent()).includes(words), `the card says "${words}"`);
    await see(button(card, "Answer"), "the Answer button");
    await see(button(card, /^Hint/), "the Hint button");
    await see(bob.question(prompt), "the same card in Bob's window");
  });

  await step("Ann answers in the thread and edits it: it counts", async () => {
    const opener = ann.question(prompt).getByTestId("open-thread");
    await opener.focus();
    await ann.page.keyboard.press("Enter");
    await see(ann.thread, "the thread panel");
    check(await ann.page.getByTestId("thread-composer").evaluate((node) => node === document.activeElement), "the thread's message box has the focus");
    await ann.page.keyboard.type("A first thought, still to be mended.");
    await ann.page.keyboard.press("Enter");
    const mine = ann.messages(ann.thread).filter({ hasText: "still to be mended" });
    await see(mine.getByText("counts as your answer"), "the mark at Ann's answer");
    await mine.hover();
    await button(mine, "Edit").click();
    const text = ann.thread.getByLabel("Edit your message");
    await text.fill(question.answer);
    await text.press("Enter");
    const edited = ann.messages(ann.thread).filter({ hasText: question.answer.slice(0, 60) });
    await see(edited.getByText("edited", { exact: true }), "the word \"edited\" at Ann's answer");
    await see(edited.getByText("counts as your answer"), "the mark at Ann's edited answer");
    same(await ann.messages(ann.thread).count(), 2, "messages in the thread panel: the question and one answer");
  });

  await step("Bob uses the Answer form, then changes his answer", async () => {
    await button(bob.question(prompt), "Answer").click();
    await see(bob.dialog, "the answer form");
    await bob.page.getByTestId("form-submit").click();
    await see(bob.dialog.getByText("Write something here first."), "a word about an empty answer");
    // How sure he is, with the keyboard; what is not sent is still there when he comes back.
    await bob.page.getByTestId("input-answer").fill("I would look at it.");
    await bob.page.keyboard.press("Tab");
    await bob.page.keyboard.press("Space");
    await bob.page.keyboard.press("ArrowDown");
    same(await bob.picked(), "Fairly sure", "what the arrow key picked");
    await bob.page.keyboard.press("Escape");
    await gone(bob.dialog, "the answer form after Escape");
    await button(bob.question(prompt), "Answer").click();
    await see(bob.dialog.getByText("What you had typed is back."), "the word that the draft is back");
    same(await bob.picked(), "Fairly sure", "what was picked in the draft");
    same(await bob.page.getByTestId("input-answer").inputValue(), "I would look at it.", "the text of the draft");
    const asked = bob.dialog.getByRole("radiogroup", { name: /^How sure are you\?/ });
    same(await asked.getByRole("radio").count(), 4, "levels to pick, and none of them");
    await asked.getByRole("radio", { name: "No answer" }).check();
    same(await bob.picked(), "No answer", "what takes it back");
    await asked.getByRole("radio", { name: "Sure", exact: true }).check();
    await shoot(bob, "answer-form");
    await fits(bob, "the answer form");
    await bob.answerForm("I would look at it.");
    const saved = bob.card("You can change it");
    await see(saved.getByText("Saved."), "the receipt");
    same(await saved.getAttribute("data-private"), "true", "the receipt is private");
    await button(bob.question(prompt), "Answer").click();
    await see(bob.dialog, "the answer form again");
    same(await bob.page.getByTestId("input-answer").inputValue(), "I would look at it.", "what the form remembers");
    same(await bob.picked(), "Sure", "how sure he was");
    await bob.answerForm(question.answer.slice(0, Math.floor(question.answer.length / 2)));
    await see(bob.card("Changed."), "the receipt of the change");
    same(await ann.channel.getByText("You can change it").count(), 0, "Bob's receipts in Ann's window");
  });

  await step("the card counts both, live in the other window", async () => {
    await until(async () => (await answered(ann).textContent()) === "2 people", "\"2 people\" on the card in Ann's window");
    await until(async () => (await answered(bob).textContent()) === "2 people", "\"2 people\" on the card in Bob's window");
    await shoot(ann, "question-and-thread", { sizes: [["desktop", DESKTOP]] });
  });

  await step("Bob's hint is only for Bob", async () => {
    await button(bob.question(prompt), /^Hint/).click();
    const hint = await see(bob.card("Hint 1 of"), "the hint");
    await see(hint.getByText("Only you can see this"), "the word that the hint is private");
    same(await ann.page.getByText("Hint 1 of").count(), 0, "hints in Ann's window");
  });

  await step("markup and @everyone stay text", async () => {
    const nasty = "<script>alert(1)</script> **x** @everyone";
    await bob.say(nasty);
    const seen = ann.messages().filter({ hasText: "@everyone" });
    await see(seen, "Bob's message in Ann's window");
    same(await seen.locator(".text").textContent(), nasty, "Bob's message, word for word");
    same(await seen.locator("script, strong, a").count(), 0, "elements made of Bob's message");
    await shoot(bob, "channel-open");
  });

  await step("/daily pause is refused for Bob, and not for Ann", async () => {
    await see((await bob.command("/daily pause")).getByText("is for this channel's organisers"), "the refusal");
    await see((await ann.command("/daily pause")).getByText("Paused."), "Ann's pause");
    await see((await ann.command("/daily resume")).getByText("Questions come again."), "Ann's resume");
    await ann.command("/daily show");
    await shoot(ann, "daily-show");
  });

  await step("/drill iamm suggests iam", async () => {
    const help = await bob.command("/drill iamm");
    await see(help.getByText("Did you mean \"iam\"?"), "the suggestion");
    await shoot(bob, "drill-suggestion");
    await button(help, "Drill iam").click();
    await see(bob.card("question 1 of"), "the drill that the button began");
  });

  await step("/drill iam choice: pick, see why, next", async () => {
    const drill = await bob.command("/drill iam choice");
    await see(drill.getByText("question 1 of"), "the first question");
    same(await drill.locator(".items li").count(), 4, "options to choose from");
    await shoot(bob, "drill-choice");
    await button(drill, /^B\b/).click();
    await see(drill.getByText(/^(Right, [\d.]+ points|Not this one, 0 points)$/), "whether it was right");
    await see(drill.getByText("(your choice)"), "which one was chosen");
    await shoot(bob, "drill-choice-answer", { top: drill });
    await button(drill, "Next").click();
    await see(drill.getByText("question 2 of"), "the second question");
  });

  await step("the reveal arrives live: model answer, key points with names, mistakes, references", async () => {
    await see(ann.thread.getByText("Model answer").first(), "the model answer in Ann's open thread", 45_000);
    const points = await see(ann.card("Key points, and who covered them", ann.thread), "the key points");
    const text = await points.textContent();
    check(/— (Ann|everybody)/.test(text), `a key point names Ann: ${text.slice(0, 300)}`);
    check(/2 people answered; \d+ of 100 on average/.test(text), `the average is there: ${text.slice(-400)}`);
    if (question.mistakes) check(text.includes("Common mistakes"), "the mistakes are there");
    if (question.references) check((await points.locator("a[href^='https://']").count()) > 0, "the references are links");
    await see(bob.channel.locator(".card[data-tone=closed]"), "the closed card in Bob's channel");
    const first = ann.card("Model answer", ann.thread);
    await shoot(ann, "thread-model-answer", { top: first });
    await shoot(ann, "thread-key-points", { top: points });
  });

  await step("each sees their own result, and nobody else's", async () => {
    for (const [me, other] of [[ann, bob], [bob, ann]]) {
      const result = await see(me.card("Your result"), `${me.name}'s result`);
      await see(result.getByText("Only you can see this"), `${me.name}'s result says that it is private`);
      check(/\d+ of 100.*worth [\d.]+ points/.test(await result.textContent()), `${me.name}'s result has points: ${(await result.textContent()).slice(0, 200)}`);
      check((await result.locator(".quote mark").count()) > 0, `the words that counted are marked in ${me.name}'s answer`);
      const id = await result.getAttribute("data-message-id");
      same(await other.page.locator(`[data-message-id="${id}"]`).count(), 0, `${me.name}'s result in ${other.name}'s window`);
    }
    const own = await bob.card("Your result").textContent();
    check(own.includes("for 1 hint"), `Bob's hint is counted: ${own.slice(0, 200)}`);
    await shoot(bob, "result", { top: bob.card("Your result") });
    const before = await bob.card("Your result").getAttribute("data-message-id");
    await button(bob.question(prompt), "My result").click();
    await until(async () => (await bob.card("Your result").getAttribute("data-message-id")) !== before, "\"My result\" shows it again");
  });

  await step("/leaderboard through the suggestions, keyboard only", async () => {
    await bob.composer.focus();
    await bob.page.keyboard.type("/lea");
    const list = bob.page.getByTestId("suggestions");
    await see(list.getByText("/leaderboard"), "the suggestion /leaderboard");
    await shoot(bob, "suggestions");
    await bob.composer.focus();
    if (!(await list.isVisible())) { // changing the window's size may have closed it
      await bob.page.keyboard.type("d");
      await see(list.getByText("/leaderboard"), "the suggestion /leaderboard again");
    }
    await bob.page.keyboard.press("ArrowDown");
    await until(() => bob.composer.getAttribute("aria-activedescendant"), "an option is highlighted");
    await bob.page.keyboard.press("Enter");
    await until(async () => (await bob.composer.inputValue()).startsWith("/leaderboard"), "the command is filled in");
    await bob.page.keyboard.press("Escape");
    await bob.page.keyboard.press("Enter");
    const board = await see(bob.card("Daily questions, this week"), "the leaderboard");
    for (const words of ["Ann", "Bob (you)", "You are number 2 of 2."]) check((await board.textContent()).includes(words), `the leaderboard says "${words}"`);
    await shoot(bob, "leaderboard-card");
  });

  let drill;
  let others;
  await step("/drill iam: answer by form, feedback, next", async () => {
    drill = await bob.command("/drill iam");
    await see(drill.getByText("question 1 of 5"), "the first of five questions");
    await shoot(bob, "drill-question");
    const asked = lookUp((await drill.locator("h2").first().textContent()).trim());
    await button(drill, "Answer").click();
    await see(bob.dialog, "the answer form");
    await shoot(bob, "form", {});
    await bob.answerForm(asked.answer.slice(0, Math.floor(asked.answer.length * 0.6)));
    await see(drill.getByText(/\d+ of 100/), "the grade");
    for (const words of ["You said", "Model answer"]) await see(drill.getByRole("heading", { name: words }), `"${words}" in the feedback`);
    await shoot(bob, "drill-feedback", { top: drill });
    await button(drill, "Next").click();
    await see(drill.getByText("question 2 of 5"), "the second question");
  });

  await step("the bot restarts in the middle of the drill: the page comes back by itself, nothing doubled", async () => {
    const ids = () => bob.page.evaluate(() => [...document.querySelectorAll("#channel-messages [data-message-id]")].map((node) => node.dataset.messageId));
    others = await ids();
    await bob.page.evaluate(() => { window.stillTheSamePage = true; });
    botIsAway = true;
    await bot.stop();
    await see(bob.page.getByText("Reconnecting…"), "the word that it reconnects");
    await shoot(bob, "reconnecting", { sizes: [["desktop", DESKTOP]] });
    await bob.composer.fill("Is anybody there?");
    await bob.composer.press("Enter");
    await see(bob.page.getByText("Not sent."), "the word that a message was not sent");
    await bot.start();
    await gone(bob.page.getByText("Reconnecting…"), "\"Reconnecting…\" after the bot is back");
    await gone(ann.page.getByText("Reconnecting…"), "\"Reconnecting…\" in Ann's window");
    botIsAway = false;
    await button(bob.page.locator(".problem-notice"), "Try again").click();
    await see(ann.messages().getByText("Is anybody there?"), "Bob's message in Ann's window, after the second try");
    await see(bob.messages().getByText("Is anybody there?"), "Bob's message in his own window");
    check(await bob.page.evaluate(() => window.stillTheSamePage), "the page was not loaded anew");
    const now = await ids();
    same(new Set(now).size, now.length, "messages on screen, each once");
    check(others.every((id) => now.includes(id)), "everything from before is still there");
    same(await bob.messages().getByText("Is anybody there?").count(), 1, "Bob's message, sent twice, is there once");
  });

  await step("the drill goes on: hint, skip, reveal, and the summary", async () => {
    await button(drill, /^Hint/).click();
    await see(drill.getByText("Hint 1:"), "the hint in the drill");
    await button(drill, "Skip").click();
    await see(drill.getByText("question 3 of 5"), "the third question");
    await button(drill, "Reveal").click();
    await see(drill.getByText("No points for this one; here is the answer."), "the revealed answer");
    await button(drill, "Next").click();
    await see(drill.getByText("question 4 of 5"), "the fourth question");
    await button(drill, "Skip").click();
    await see(drill.getByText("question 5 of 5"), "the fifth question");
    await button(drill, "Answer").click();
    await see(bob.dialog, "the answer form");
    await bob.dialog.getByRole("radio", { name: "Sure", exact: true }).check();
    await bob.answerForm("It has to do with trust, I am certain of it.");
    await see(drill.getByText(/^You were sure, and [a-z]+ points were missing\.$/), "what confidence and answer teach");
    await shoot(bob, "drill-sure-and-wrong", { top: drill });
    await button(drill, "Finish").click();
    await see(drill.getByText(/points from 5 questions/), "the summary");
    same(await drill.locator(".items li").count(), 5, "questions in the summary");
    check((await drill.textContent()).includes("skipped"), "the summary says what was skipped");
    await shoot(bob, "drill-summary", { top: drill });
    const me = await bob.command("/me");
    await see(me.getByText("Bob, so far"), "Bob's own page");
    for (const words of ["How sure, how right", "Confident but wrong"]) await see(me.getByRole("heading", { name: words }), `"${words}" on Bob's page`);
    await see(me.getByText(/\/drill question=[a-z0-9-]+/), "the command that asks it again");
    await shoot(bob, "me", { top: me });
    await shoot(bob, "me-how-sure", { top: me.getByRole("heading", { name: "How sure, how right" }) });
    const help = await bob.command("/help");
    await shoot(bob, "help", { top: help });
    await shoot(bob, "topics", { top: await bob.command("/topics") });
  });

  await step("the pages: leaderboard, schedule, history", async () => {
    const { page } = ann;
    for (const [name, words] of [["leaderboard", "Daily questions, this week"], ["schedule", "When questions come"], ["history", "Questions so far"]]) {
      await page.getByRole("link", { name: new RegExp(name, "i") }).first().click();
      await see(page.getByRole("heading", { name: words }), `the page ${name}`);
      same(new URL(page.url()).pathname, `/${name}/daily-drill`, "the address");
      if (name === "leaderboard") same(await page.locator("tbody tr").count(), 2, "people on the leaderboard");
      if (name === "history") await see(page.getByText("revealed"), "the first question's state");
      await page.setViewportSize(PHONE);
      await fits(ann, `the page ${name}`);
      await shoot(ann, `page-${name}`);
    }
    await page.getByRole("link", { name: prompt.slice(0, 40) }).first().click();
    await see(ann.thread.getByText("Model answer").first(), "the thread that the history links to");
  });

  await step("Bob suggests and flags; Ann decides on the review page", async () => {
    const { page } = ann;
    const typed = async (text) => {
      await bob.composer.fill(text);
      await bob.composer.press("Enter");
      await see(bob.dialog, `the form behind ${text}`);
    };
    const fill = async (values) => {
      for (const [input, text] of Object.entries(values)) await bob.page.getByTestId(`input-${input}`).fill(text);
    };
    const sent = async () => {
      await bob.page.getByTestId("form-submit").click();
      await gone(bob.dialog, "the form after it was sent");
    };
    const answer = "A pod in a private subnet has no public address. Its packets leave through a NAT gateway, which stands in a public subnet and translates them. I would have one in each zone: when the only one fails, every zone is cut off.";
    const suggestion = {
      question: "Why does a pod in a private subnet need a NAT gateway, <script>alert(1)</script>?",
      answer,
      points: "A private subnet has no route to the internet gateway\nThe NAT gateway translates addresses\nOne gateway a zone, or a zone that fails cuts off the others",
      topic: "nowhere",
      source: "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html",
    };
    await typed("/suggest");
    await fill(suggestion);
    await shoot(bob, "suggest-form");
    await sent();
    const refused = bob.card("Nothing was sent yet.");
    await see(refused.getByText('There is no topic "nowhere"'), "what is wrong with the suggestion");
    await button(refused, "Mend it").click();
    await see(bob.dialog, "the form again");
    same(await bob.page.getByTestId("input-question").inputValue(), suggestion.question, "what was typed is kept");
    await fill({ topic: "iam" });
    await sent();
    await see(bob.card("The organisers look at it"), "the receipt");
    await typed("/flag iam-passrole");
    await bob.dialog.getByRole("radio", { name: "Outdated" }).check();
    await fill({ words: "The console names this permission otherwise since spring." });
    await shoot(bob, "flag-form");
    await sent();
    check(!(await bob.page.getByRole("link", { name: "Review" }).first().isVisible()), "Bob has no link to the queue");
    await see(ann.card("wait for an organiser").or(ann.card("waits for an organiser")), "Ann is told");
    await page.getByRole("link", { name: "Review" }).first().click();
    const item = (text) => page.getByTestId("queue-item").filter({ hasText: text });
    const notice = page.locator("#queue-notice");
    await see(item("NAT gateway"), "the suggestion in the queue");
    await see(item("The console names"), "the flag in the queue");
    same(await page.getByTestId("queue-item").count(), 2, "what waits");
    await page.setViewportSize(PHONE);
    await fits(ann, "the review page");
    await shoot(ann, "page-review");
    await page.getByRole("link", { name: "Flags" }).click();
    await see(item("The console names"), "the flag by itself");
    same(await page.getByTestId("queue-item").count(), 1, "flags that wait");
    await page.getByRole("link", { name: "All that waits" }).click();
    await button(item("NAT gateway"), "Edit").first().click();
    const dialog = page.getByTestId("form-dialog");
    await see(dialog, "the form of an edit");
    same(await page.getByTestId("input-answer").inputValue(), answer, "the suggestion in the form");
    await shoot(ann, "page-review-edit");
    await page.getByTestId("input-topic").fill("nowhere");
    await page.getByTestId("form-submit").click();
    await see(dialog.getByText('There is no topic "nowhere"'), "what is wrong with the edit");
    await page.getByTestId("input-topic").fill("iam");
    await page.getByTestId("input-question").fill("Why does a pod in a private subnet need a NAT gateway?");
    await page.getByTestId("form-submit").click();
    await gone(dialog, "the form of the edit");
    await see(notice.getByText("Saved. It waits as it is now."), "the edit is saved");
    await button(item("need a NAT gateway?"), "Approve").first().click();
    await see(notice.getByText(/Approved: it is suggested-/), "it is approved");
    await gone(item("NAT gateway"), "the approved suggestion among what waits");
    await button(item("The console names"), "Keep as it is").click();
    await page.getByTestId("input-reason").fill("It does so in one region only.");
    await page.getByTestId("form-submit").click();
    await see(page.getByText("Nothing waits for you."), "the empty queue");
    await shoot(ann, "page-review-empty", { sizes: [["desktop", DESKTOP]] });
    await page.getByRole("link", { name: "Decided" }).click();
    await see(item("Approved by Ann"), "what was approved");
    await shoot(ann, "page-review-decided");
    const told = await see(bob.card("Your question was approved."), "Bob is told");
    await see(bob.card("find it right as it is"), "Bob is told of his flag");
    const id = /question:(suggested-\w+)/.exec(await told.textContent())[1];
    await see((await bob.command(`/drill question:${id}`)).getByText("need a NAT gateway?"), "the approved question is asked");
    await button(item("Approved by Ann"), "Withdraw").click();
    await see(notice.getByText("nobody is asked this any more"), "it is taken out again");
    await see((await bob.command(`/drill question:${id}`)).getByText("There is no question"), "it is not asked any more");
    await bob.page.goto(page.url());
    await see(bob.page.getByText("This page is for organisers"), "what Bob sees of the page");
    noise.splice(0, noise.length, ...noise.filter((line) => !/status of 403/.test(line)));
    await bob.page.goto(bot.url);
    await see(bob.composer, "Bob is back in the chat");
    await page.goto(bot.url);
    await see(ann.composer, "Ann is back in the chat");
  });

  await step("on a phone: sign-in, channel, thread, form, menu; dark", async () => {
    const cleo = await Member.arrive(browser, "Cleo", { viewport: PHONE, colorScheme: "dark", hasTouch: true, isMobile: true });
    members.push(cleo);
    const { page } = cleo;
    const both = async (name) => {
      if (SHOTS) await page.screenshot({ path: join(SHOTS, `touch-${name}.png`) });
      await fits(cleo, `the ${name}`);
    };
    await page.goto(bot.url);
    await see(page.getByTestId("signin-form"), "the sign-in form");
    await both("sign-in");
    await shoot(cleo, "sign-in");
    await page.setViewportSize(PHONE);
    await page.emulateMedia({ colorScheme: "dark" });
    await cleo.signIn(bot.url);
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    check(ground.match(/\d+/g).every((part) => Number(part) < 60), `the ground is dark in dark mode, it is ${ground}`);
    const card = await see(cleo.channel.locator(".card").last(), "a card");
    await both("channel");
    await card.locator("xpath=ancestor::article").getByTestId("open-thread").tap();
    await see(cleo.thread, "the thread, over the whole screen");
    same(Math.round((await cleo.thread.boundingBox()).width), PHONE.width, "the thread's width");
    await both("thread");
    await page.goBack();
    await gone(cleo.thread, "the thread after Back");
    const drill = await cleo.command("/drill iam");
    await button(drill, "Answer").tap();
    await see(cleo.dialog, "the answer form");
    await both("form");
    await page.getByRole("button", { name: "Cancel" }).tap();
    await gone(cleo.dialog, "the form after Cancel");
    await page.getByRole("button", { name: "Menu" }).tap();
    await see(page.locator(".sidebar").getByText("Sign out"), "the menu");
    await both("menu");
    await page.locator(".sidebar").getByText("Sign out").tap();
    await see(page.getByTestId("signin-form"), "the sign-in form after signing out");
  });
}

// ---- The day ------------------------------------------------------------------------------------------------------------

mkdirSync(join(HERE, "screenshots"), { recursive: true });
if (SHOTS) for (const name of readdirSync(join(HERE, "screenshots"))) if (name.endsWith(".png")) rmSync(join(HERE, "screenshots", name));
const folder = mkdtempSync(join(tmpdir(), "drillbot-day-"));
const bot = new Bot(folder);
let browser;
try {
  check(existsSync(BINARY), `there is no bot at ${BINARY}: build it with "cargo build", or say where it is with DRILLBOT=`);
  browser = await chromium.launch({
    executablePath: findChromium(),
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  await step("the bot starts", () => bot.start());
  await day(bot, browser);
} catch (error) {
  failed += 1;
  console.log(`FAILED  ${error.message}`);
} finally {
  if (failed > 0 && bot.log) console.log(`    the bot's last words:\n    ${bot.log.trim().split("\n").slice(-8).join("\n    ")}`);
  await browser?.close();
  await bot.stop().catch((error) => console.log(`    ${error.message}`));
  rmSync(folder, { recursive: true, force: true });
}
console.log(`(${((Date.now() - began) / 1000).toFixed(0)} s)`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
