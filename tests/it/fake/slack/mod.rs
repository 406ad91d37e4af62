//! A Slack of our own: Web API, Socket Mode and Events API over a plain model of workspaces.
