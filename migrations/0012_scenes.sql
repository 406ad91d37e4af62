-- Playings of scenarios; the votes of those that are played together stand in rows of their own, so that erasing a member is simple.

create table scenes (
    id text primary key,
    channel_id text not null,
    -- Who began it; empty when they were erased.
    member_id text not null,
    together bigint not null,
    state text not null,
    finished bigint not null,
    thread_id text,
    updated_at bigint not null
);
create index scenes_member on scenes (member_id);
create index scenes_open on scenes (channel_id, updated_at) where together = 1 and finished = 0;

create table scene_votes (
    scene_id text not null,
    step bigint not null,
    member_id text not null,
    choice bigint not null,
    -- Counts up within a scene: the order in which people first voted.
    seq bigint not null,
    primary key (scene_id, step, member_id)
);
create index scene_votes_member on scene_votes (member_id);

-- The messages that show a scene, so that they can be brought up to date.
create table scene_parts (
    scene_id text not null,
    part bigint not null,
    message_id text not null,
    primary key (scene_id, part)
);
