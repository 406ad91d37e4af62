//! The connection on which Discord tells what happens.

use std::time::Duration;

use drillbot::adapters::discord::Ended;

use super::{PATIENCE, Stage};
use crate::fake::discord::{Fault, Outage};
use crate::support::eventually;
use crate::world::{FULL, PART};

#[tokio::test]
async fn shards_that_discord_refuses_end_it() {
    let mut stage = Stage::new().await;
    let began = std::time::Instant::now();
    stage.fake.close(4010);
    let ended = stage.ended().await.expect_err("it ends");
    assert!(matches!(ended.downcast_ref(), Some(Ended::Shards { .. })), "{ended:#}");
    println!("{:?}", began.elapsed());
    stage.end().await;
}
