-- What the web chat keeps: it is a chat service of its own, beside the drill's tables.

create table web_sessions (
    token_hash text primary key,
    member_id text not null,
    created_at bigint not null
);

create table web_messages (
    id text primary key,
    seq bigint not null,
    rev bigint not null,
    channel_id text not null,
    -- The message this one hangs under.
    thread text,
    -- Null for the bot.
    author_id text,
    -- '' for everyone, 'organisers', or a member's id.
    audience text not null,
    -- A member's words, or the bot's message as JSON.
    body text not null,
    -- The delivery id, or the client's key behind the author's id: what makes a repeat show once.
    dedup text not null,
    mark text not null,
    at bigint not null,
    edited_at bigint,
    deleted bigint not null,
    replies bigint not null
);
create unique index web_messages_dedup on web_messages (dedup);
create index web_messages_rev on web_messages (rev);
create index web_messages_channel on web_messages (channel_id, seq) where thread is null;
create index web_messages_thread on web_messages (thread, seq);
create index web_messages_author on web_messages (author_id);
create index web_messages_audience on web_messages (audience) where audience <> '';
