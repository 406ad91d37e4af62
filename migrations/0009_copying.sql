-- The texts of answers that were changed while their question was open, each with the instant at which it was said first: who wrote
-- something first is not who posted a message first. Rows go with the reveal.
create table answer_versions (
    round_id text not null,
    part_id text not null,
    member_id text not null,
    -- A hash of the body.
    digest text not null,
    body text not null,
    said_at bigint not null,
    primary key (round_id, part_id, digest)
);
create index answer_versions_member on answer_versions (member_id);

-- Answers that are nearly somebody else's: what the organisers were told. An empty source was erased.
create table copies (
    round_id text not null,
    member_id text not null,
    source_id text not null,
    percent bigint not null,
    primary key (round_id, member_id)
);
create index copies_member on copies (member_id);
create index copies_source on copies (source_id);
