//! Where tokens may go.

use reqwest::Url;

/// Whether a token may be sent there: nobody on the way can read it.
pub fn is_safe(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default();
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    let here = plain == "localhost" || plain.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" | "wss" => !host.is_empty(),
        "http" | "ws" => here,
        _ => false,
    }
}
