-- One text for SQLite and PostgreSQL: bigint and text only, times in unix milliseconds, flags 0/1, JSON as text.

create table counters (name text primary key, value bigint not null);
insert into counters (name, value) values ('outbox', 0), ('web', 0);

create table notes (name text primary key, value text not null);

create table channels (
    id text primary key,
    platform text not null,
    name text not null,
    about text not null,
    zone text not null,
    created_at bigint not null
);

create table members (
    id text primary key,
    name text not null,
    -- The name in small letters, to find people by.
    folded text not null,
    organiser bigint not null,
    seen_at bigint not null
);
create index members_folded on members (folded);

create table schedules (
    id text primary key,
    channel_id text not null references channels (id),
    spec text not null,
    paused bigint not null,
    -- The hash of the configuration it was last taken from; what /daily set changes stays until that entry changes.
    origin text not null,
    -- How many questions it has revealed: the number of the newest.
    rounds bigint not null,
    -- The instant and the local time of the next question; null while paused or retired.
    next_at bigint,
    next_slot text,
    created_at bigint not null
);
create index schedules_due on schedules (next_at, id) where next_at is not null;
create index schedules_of on schedules (channel_id);

create table asked (
    channel_id text not null,
    question_id text not null,
    asked_at bigint not null,
    primary key (channel_id, question_id)
);

create table snapshots (hash text primary key, body text not null);

create table rounds (
    id text primary key,
    schedule_id text not null references schedules (id),
    channel_id text not null,
    slot text not null,
    -- Counts the revealed questions of a schedule, for streaks; 0 before the reveal.
    number bigint not null,
    question_id text not null,
    snapshot text not null,
    answers text not null,
    -- open, closing, revealed; skipped and missed never had a question.
    state text not null,
    reason text not null,
    opened_at bigint not null,
    reveal_at bigint not null,
    closed_at bigint,
    day text not null,
    week text not null,
    month text not null,
    message_id text,
    thread_id text,
    -- Counts changes of the answers; the card shows those up to `shown`.
    touched bigint not null,
    shown bigint not null,
    parts bigint not null
);
create unique index rounds_slot on rounds (schedule_id, slot);
create index rounds_due on rounds (reveal_at) where state = 'open';
create index rounds_stale on rounds (id) where state = 'open' and touched > shown;
create index rounds_of on rounds (channel_id, opened_at);
create index rounds_thread on rounds (thread_id) where thread_id is not null;

create table answer_parts (
    round_id text not null,
    -- A message of the thread, or form:<member>.
    part_id text not null,
    member_id text not null,
    body text not null,
    written_at bigint not null,
    late bigint not null,
    deleted bigint not null,
    primary key (round_id, part_id)
);
create index answer_parts_member on answer_parts (member_id, round_id);

create table hints (
    round_id text not null,
    member_id text not null,
    step bigint not null,
    primary key (round_id, member_id, step)
);

create table scores (
    round_id text not null,
    member_id text not null,
    channel_id text not null,
    schedule_id text not null,
    number bigint not null,
    topic text not null,
    day text not null,
    week text not null,
    month text not null,
    coverage bigint not null,
    hints bigint not null,
    points bigint not null,
    grade text not null,
    scored_at bigint not null,
    primary key (round_id, member_id)
);
create index scores_member on scores (member_id, channel_id);

create table standings (
    channel_id text not null,
    board text not null,
    topic text not null,
    span text not null,
    member_id text not null,
    points bigint not null,
    answered bigint not null,
    reached_at bigint not null,
    primary key (channel_id, board, topic, span, member_id)
);
create index standings_rank on standings (channel_id, board, topic, span, points desc, reached_at, member_id);
create index standings_member on standings (member_id);

create table streaks (
    schedule_id text not null,
    member_id text not null,
    current bigint not null,
    best bigint not null,
    last_number bigint not null,
    primary key (schedule_id, member_id)
);

create table drills (
    id text primary key,
    member_id text not null,
    channel_id text not null,
    state text not null,
    finished bigint not null,
    updated_at bigint not null
);
create index drills_member on drills (member_id, finished, updated_at);

create table drill_scores (
    channel_id text not null,
    member_id text not null,
    question_id text not null,
    day text not null,
    week text not null,
    month text not null,
    topic text not null,
    coverage bigint not null,
    points bigint not null,
    scored_at bigint not null,
    primary key (channel_id, member_id, question_id, day)
);
create index drill_scores_member on drill_scores (member_id, question_id);

create table outbox (
    id text primary key,
    platform text not null,
    channel_id text not null,
    lane text not null,
    seq bigint not null,
    effect text not null,
    -- pending, sending, sent, failed, expired
    state text not null,
    attempts bigint not null,
    not_before bigint not null,
    not_after bigint,
    lease_until bigint not null,
    message_id text,
    error text not null,
    created_at bigint not null
);
create index outbox_open on outbox (platform, seq) where state in ('pending', 'sending');
create index outbox_lane on outbox (lane, seq) where state in ('pending', 'sending');
