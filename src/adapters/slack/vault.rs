//! Tokens of workspaces are kept encrypted (ChaCha20-Poly1305, RFC 8439) with a key that comes from the environment or a file. A token is
//! bound to its workspace: what is copied to another row cannot be read there.

use std::fmt;

use anyhow::Result;
use data_encoding::{BASE64, HEXLOWER};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest, Sha256};

/// Bytes of a key.
const KEY: usize = 32;
/// What stands before an encrypted token, so that another way can come beside this one.
const FORMAT: &str = "1";

/// One key or several. The first encrypts; all of them decrypt, so that a new key can be put before an old one.
pub struct Keys(Vec<Key>);

struct Key {
    /// Tells keys apart without giving them away.
    name: String,
    key: LessSafeKey,
}

/// Shows no key.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.0.len())
    }
}

/// A new key as it stands in the settings: 32 random bytes in Base64.
///
/// # Errors
/// When the system has no random bytes.
pub fn new_key() -> Result<String> {
    let mut bytes = [0; KEY];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
    Ok(BASE64.encode(&bytes))
}

impl Keys {
    /// Keys with blanks or line ends between them.
    ///
    /// # Errors
    /// What is wrong with them, in words that do not show them.
    pub fn read(text: &str) -> Result<Keys, String> {
        let how = "make one with: drillbot slack key";
        let mut keys = Vec::new();
        for (at, word) in text.split_whitespace().enumerate() {
            let bytes = BASE64.decode(word.as_bytes()).ok().filter(|bytes| bytes.len() == KEY);
            let bytes = bytes.ok_or_else(|| format!("key {} is not {KEY} bytes in Base64; {how}", at + 1))?;
            let unbound = UnboundKey::new(&CHACHA20_POLY1305, &bytes).map_err(|_| format!("no key; {how}"))?;
            let name =
                HEXLOWER.encode(&Sha256::new().chain_update("drillbot key").chain_update(&bytes).finalize()[..4]);
            keys.push(Key { name, key: LessSafeKey::new(unbound) });
        }
        if keys.is_empty() { Err(format!("there is no key; {how}")) } else { Ok(Keys(keys)) }
    }

    /// The token of a workspace, encrypted with the first key.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn seal(&self, team: &str, token: &str) -> Result<String> {
        let Key { name, key } = &self.0[0];
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
        let mut text = token.as_bytes().to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(team), &mut text)
            .map_err(|_| anyhow::anyhow!("a token could not be encrypted"))?;
        Ok(format!("{FORMAT}:{name}:{}", BASE64.encode(&[nonce.as_slice(), &text].concat())))
    }

    /// The token again; none when it was encrypted with a key that is not here, for another workspace, or was changed.
    pub fn open(&self, team: &str, sealed: &str) -> Option<String> {
        let (name, data) = sealed.strip_prefix(FORMAT)?.strip_prefix(':')?.split_once(':')?;
        let mut data = BASE64.decode(data.as_bytes()).ok()?;
        let key = self.0.iter().find(|key| key.name == name)?;
        let (nonce, text) = data.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = key.key.open_in_place(nonce, Aad::from(team), text).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }

    /// Whether it was encrypted with the first key.
    pub fn is_current(&self, sealed: &str) -> bool {
        sealed.split(':').nth(1) == Some(&self.0[0].name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(words: &[&str]) -> Keys {
        Keys::read(&words.join(" ")).expect("keys")
    }

    #[test]
    fn a_token_is_read_again_in_its_own_workspace_only() {
        let key = new_key().unwrap();
        let sealed = keys(&[&key]).seal("T1", "xoxb-secret").unwrap();
        assert!(!sealed.contains("xoxb") && !sealed.contains(&key), "{sealed}");
        assert_eq!(keys(&[&key]).open("T1", &sealed).as_deref(), Some("xoxb-secret"));
        assert_eq!(keys(&[&key]).open("T2", &sealed), None);
        assert_eq!(keys(&[&new_key().unwrap()]).open("T1", &sealed), None);
        assert_ne!(
            sealed,
            keys(&[&key]).seal("T1", "xoxb-secret").unwrap(),
            "the same token looks different each time"
        );
    }

    #[test]
    fn nothing_that_was_changed_is_read() {
        let keys = keys(&[&new_key().unwrap()]);
        let sealed = keys.seal("T1", "xoxb-secret").unwrap();
        for at in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(keys.open("T1", &changed), None, "{changed}");
        }
        for short in ["", "1", "1:", "1:a:", "1:a:AAAA", &sealed[..sealed.len() - 4]] {
            assert_eq!(keys.open("T1", short), None, "{short}");
        }
    }

    #[test]
    fn an_old_key_still_opens_and_a_new_one_encrypts() {
        let (old, new) = (new_key().unwrap(), new_key().unwrap());
        let sealed = keys(&[&old]).seal("T1", "xoxb-secret").unwrap();
        let both = keys(&[&new, &old]);
        assert_eq!(both.open("T1", &sealed).as_deref(), Some("xoxb-secret"));
        assert!(!both.is_current(&sealed));
        let again = both.seal("T1", "xoxb-secret").unwrap();
        assert!(both.is_current(&again));
        assert_eq!(keys(&[&new]).open("T1", &again).as_deref(), Some("xoxb-secret"));
    }

    #[test]
    fn what_is_no_key_is_told_without_showing_it() {
        for text in ["", "  ", "secret", "c2VjcmV0"] {
            let problem = Keys::read(text).unwrap_err();
            assert!(problem.contains("drillbot slack key"), "{problem}");
            assert!(text.trim().is_empty() || !problem.contains(text), "{problem}");
        }
        assert_eq!(format!("{:?}", keys(&[&new_key().unwrap()])), "1 keys");
    }
}
