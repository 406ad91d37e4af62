//! A message as Slack's blocks: every limit and every escape. Source: <https://docs.slack.dev/reference/block-kit>.
