-- 1 when what a row shows has changed while it was being sent: it is sent once more behind that.
alter table outbox add column stale bigint not null default 0;
