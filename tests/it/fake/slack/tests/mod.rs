//! The fake against real clients.
