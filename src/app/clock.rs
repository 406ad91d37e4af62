//! The one place that knows what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The bot's clock. Cheap to clone; clones of a manual clock move together.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    System,
    /// A rehearsal: time runs `speed` times faster since `real`, when it showed `shown`.
    Fast {
        real: i64,
        shown: i64,
        speed: i64,
    },
    Manual(AtomicI64),
}

impl Clock {
    pub fn system() -> Clock {
        Clock(Arc::new(Kind::System))
    }

    pub fn fast(real: i64, shown: i64, speed: i64) -> Clock {
        Clock(Arc::new(Kind::Fast { real, shown, speed }))
    }

    /// Stands still until it is set: for tests.
    pub fn manual(ms: i64) -> Clock {
        Clock(Arc::new(Kind::Manual(AtomicI64::new(ms))))
    }

    /// Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        match &*self.0 {
            Kind::System => real_ms(),
            Kind::Fast { real, shown, speed } => shown + (real_ms() - real) * speed,
            Kind::Manual(ms) => ms.load(Ordering::SeqCst),
        }
    }

    /// How many times faster than the wall clock it runs.
    pub fn speed(&self) -> i64 {
        match &*self.0 {
            Kind::Fast { speed, .. } => *speed,
            Kind::System | Kind::Manual(_) => 1,
        }
    }

    /// A span of real time in this clock's milliseconds.
    pub fn span(&self, real: Duration) -> i64 {
        i64::try_from(real.as_millis()).unwrap_or(i64::MAX).saturating_mul(self.speed())
    }

    /// Moves a manual clock; does nothing to others.
    pub fn set(&self, ms: i64) {
        if let Kind::Manual(now) = &*self.0 {
            now.store(ms, Ordering::SeqCst);
        }
    }
}

/// The wall clock in unix milliseconds.
#[expect(clippy::disallowed_methods, reason = "this is the place that owns the clock")]
pub fn real_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
