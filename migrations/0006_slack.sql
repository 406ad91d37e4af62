-- Workspaces of Slack that installed the app by themselves (OAuth). What is set by the operator's token needs no row.
create table slack_workspaces (
  team_id text primary key,
  -- the bot as a user
  bot_user text not null,
  -- the bot's token, encrypted with a key that is never in this database
  token text not null,
  installed_at bigint not null
);
