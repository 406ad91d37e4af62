-- Who was erased while questions were open, by a hash: what they wrote before stands in threads that are read once more before the
-- reveal, and must not bring them back. A row goes when those questions are revealed.
create table erased (member text primary key, erased_at bigint not null);
