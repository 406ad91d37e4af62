-- Claims of members that an answer covers a key point, what people rule on them, and reviews of answers by those who answered too.

-- A hash of the answer's words, by which equal answers are found; '' for scores from before, until it is asked for.
alter table scores add column answer text not null default '';
-- The grade without the rulings in it; '' while there are none.
alter table scores add column graded text not null default '';
-- The coverage at the reveal: by this its answers stand in order, whatever is ruled later.
alter table scores add column placed bigint not null default 0;
update scores set placed = coverage;
create index scores_answer on scores (answer) where answer <> '';

insert into counters (name, value) values ('rulings', 0);
-- One row a question: who rules on it, or scores it, waits here for the other.
create table ruling_turns (question_id text primary key, turn bigint not null);

create table claims (
    -- Derived from round, member and point.
    id text primary key,
    round_id text not null,
    member_id text not null,
    -- The point's place in the question as it was posted.
    point bigint not null,
    -- Words of the answer; what was typed, while it is a draft.
    words text not null,
    -- draft, open, confirmed, refused, erased
    state text not null,
    -- What a ruling would be about.
    scope text not null,
    question_id text not null,
    point_key text not null,
    answer text not null,
    -- Who decided last.
    decided_by text not null,
    message_id text,
    created_at bigint not null
);
create index claims_member on claims (member_id);
create index claims_decided on claims (decided_by) where decided_by <> '';
create index claims_subject on claims (question_id, answer);
create index claims_round on claims (round_id);

-- What holds now. The scope is a server or workspace, or a platform that has none.
create table rulings (
    scope text not null,
    question_id text not null,
    point_key text not null,
    answer text not null,
    covered bigint not null,
    primary key (scope, question_id, point_key, answer)
);

-- Every decision, in order.
create table ruling_log (
    number bigint primary key,
    scope text not null,
    question_id text not null,
    point_key text not null,
    answer text not null,
    -- Where it was decided.
    channel_id text not null,
    round_id text not null,
    point bigint not null,
    -- '' after they were erased.
    member_id text not null,
    organiser bigint not null,
    -- covered, not covered; '' before the first.
    before text not null,
    after text not null,
    ruled_at bigint not null
);
create index ruling_log_channel on ruling_log (channel_id, number);
create index ruling_log_member on ruling_log (member_id);

create table reviews (
    -- Derived from round, author and reviewer.
    id text primary key,
    round_id text not null,
    channel_id text not null,
    -- '' after they were erased, as the next one.
    author_id text not null,
    reviewer_id text not null,
    -- taken, done
    state text not null,
    -- Places of the key points the reviewer ticked: 0,2.
    covered text not null,
    -- Places of those that the grader saw otherwise.
    disputed text not null,
    topic text not null,
    week text not null,
    month text not null,
    -- Tenths.
    points bigint not null,
    message_id text,
    taken_at bigint not null
);
create index reviews_round on reviews (round_id);
create index reviews_author on reviews (author_id);
create index reviews_reviewer on reviews (reviewer_id, channel_id, week);
