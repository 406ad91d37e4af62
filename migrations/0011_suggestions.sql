-- Questions that members suggest, flags that they put on questions, and what organisers decide.

-- How often the approved questions have changed: instances read them again when it rises.
insert into counters (name, value) values ('suggested', 0);

-- One row a group (a server, a workspace, or a platform that has none): who sends or decides there waits here for the others.
create table review_groups (
    realm text primary key,
    turn bigint not null,
    -- The number of the newest word to the organisers that something waits.
    notice bigint not null,
    -- 1 from that word on until an organiser has looked.
    unseen bigint not null
);

create table suggestions (
    -- Derived from the group and the words of the question.
    id text primary key,
    version bigint not null,
    realm text not null,
    -- Where its author and the organisers hear of it.
    channel_id text not null,
    -- '' after they were erased.
    member_id text not null,
    prompt text not null,
    model_answer text not null,
    -- JSON, an array of texts.
    key_points text not null,
    topic text not null,
    link text not null,
    -- open, approved, declined, withdrawn
    state text not null,
    -- Who decided, or withdrew it; '' before that, and after they were erased.
    decided_by text not null,
    reason text not null,
    sent_at bigint not null,
    decided_at bigint not null
);
create index suggestions_realm on suggestions (realm, state);
create index suggestions_member on suggestions (member_id);
create index suggestions_approved on suggestions (realm, id) where state = 'approved';
create index suggestions_decided on suggestions (decided_by) where decided_by <> '';

create table flags (
    -- Derived from group, member and question.
    id text primary key,
    version bigint not null,
    realm text not null,
    channel_id text not null,
    member_id text not null,
    question_id text not null,
    -- The question as it was when it was flagged.
    question_version bigint not null,
    snapshot text not null,
    prompt text not null,
    -- wrong, outdated, unclear, typo, other
    fault text not null,
    words text not null,
    link text not null,
    -- open, fixed, kept, dismissed
    state text not null,
    decided_by text not null,
    answer text not null,
    sent_at bigint not null,
    decided_at bigint not null
);
create index flags_realm on flags (realm, state);
create index flags_member on flags (member_id);
create index flags_decided on flags (decided_by) where decided_by <> '';

-- What was typed into a form and not taken yet, so that it can be mended.
create table drafts (
    member_id text not null,
    -- The group and the form.
    form text not null,
    -- JSON: text by input.
    body text not null,
    saved_at bigint not null,
    primary key (member_id, form)
);
create index drafts_saved on drafts (saved_at);
