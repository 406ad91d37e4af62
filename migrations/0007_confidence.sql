-- How sure people said they were of an answer: sure, fairly, guess; empty = not said. It never changes a score.

alter table answer_parts add column confidence text not null default '';

-- The same for drills, whose answers live inside their drill: what /me counts.
create table drill_confidence (
    drill_id text not null,
    item bigint not null,
    member_id text not null,
    channel_id text not null,
    question_id text not null,
    confidence text not null,
    coverage bigint not null,
    at bigint not null,
    primary key (drill_id, item)
);
create index drill_confidence_member on drill_confidence (member_id, channel_id);
