//! Where tokens may go.

use std::net::IpAddr;

use reqwest::Url;

/// Whether a token may be sent there: nobody on the way can read it.
pub fn is_safe(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default();
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    let here = plain == "localhost" || plain.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" | "wss" => !host.is_empty(),
        "http" | "ws" => here,
        _ => false,
    }
}

/// Whether it is a service of one's own that may be spoken to without TLS, because the way there is one's own too: a private address, or
/// a name that only a private network knows (`ollama`, `host.docker.internal`).
pub fn is_near(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default();
    let private = match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().map(|ip| ip.to_canonical())
    {
        Ok(IpAddr::V4(ip)) => ip.is_private() || ip.is_loopback(),
        Ok(IpAddr::V6(ip)) => ip.is_unique_local() || ip.is_loopback(),
        Err(_) => !host.is_empty() && (!host.contains('.') || host.ends_with(".internal")),
    };
    url.scheme() == "http" && private
}

/// Whether an address has a user or a password in it, or what could be one in an address that is none.
pub fn has_credentials(url: &str) -> bool {
    url.split_once("://")
        .map_or(url, |(_, rest)| rest)
        .split(['/', '?', '#'])
        .next()
        .is_some_and(|host| host.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_is_what_no_public_network_leads_to() {
        for near in [
            "http://127.0.0.1:11434/v1",
            "http://localhost/v1",
            "http://[::1]:80",
            "http://192.168.1.5:11434",
            "http://10.0.0.2",
            "http://172.20.0.1",
            "http://[fd00::5]:8000",
            "http://ollama:11434/v1",
            "http://host.docker.internal:11434",
        ] {
            assert!(is_near(near), "{near}");
        }
        for far in [
            "http://example.org/v1",
            "http://8.8.8.8",
            "http://172.32.0.1",
            "http://[2001:db8::1]",
            "http://192.168.1.5.example.org",
            "http://internal.example",
            "ftp://ollama",
            "ollama:11434",
            "",
        ] {
            assert!(!is_near(far), "{far}");
        }
    }
}
