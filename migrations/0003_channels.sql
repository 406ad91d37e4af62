-- What is known of a channel beside its schedules: where it belongs, who steers it, and whether anything can be posted there.

-- The server or workspace it is part of; empty = unknown, or none.
alter table channels add column space text not null default '';
-- The member who last steered its schedule.
alter table channels add column steward text not null default '';
-- Why nothing could be posted, and since when; stays until a question has got through again.
alter table channels add column trouble text not null default '';
alter table channels add column trouble_at bigint not null default 0;
-- 1: nothing is tried until somebody has changed something there.
alter table channels add column lost bigint not null default 0;
create index channels_lost on channels (id) where lost = 1;
create index channels_space on channels (space) where space <> '';

-- Attempts whose outcome nobody knows, the one under way included: while there was one before, the next has to look first.
alter table outbox add column doubt bigint not null default 0;
update outbox set doubt = 1 where attempts > 0 and state in ('pending', 'sending');
