-- What the judge said of an answer, so that it is asked once: by a hash of the question, the model and the answer.
create table verdicts (
  hash text primary key,
  -- whose answer it was; what is quoted goes when they are erased
  member_id text not null,
  -- one a key point: [{"finding": "met", "quote": ".."}]
  verdicts text not null,
  given_at bigint not null
);
create index verdicts_member on verdicts (member_id);
