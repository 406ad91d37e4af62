-- What does not work in a channel where questions get through: one row a step, told once, there until that step has worked again.
create table troubles (
  channel_id text not null,
  -- question: its thread, or the role it calls; reveal; read: the thread before the reveal; receipt: the sign under an answer
  step text not null,
  why text not null,
  since bigint not null,
  primary key (channel_id, step)
);
