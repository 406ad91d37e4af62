//! A person with the page open, or a script: speaks the API of docs/web-api.md.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};

/// There was no answer: refused, cut off, or too late.
#[derive(Debug)]
pub struct NoAnswer(pub String);

#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    pub url: String,
    /// The member's id.
    pub id: String,
    cookie: String,
}

impl Client {
    pub async fn sign_in(url: &str, name: &str) -> Result<Client, NoAnswer> {
        Client::sign_in_with(url, name, "").await
    }

    pub async fn sign_in_with(url: &str, name: &str, token: &str) -> Result<Client, NoAnswer> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(15)).build().expect("a client");
        let mut client = Client { http, url: url.to_owned(), id: String::new(), cookie: String::new() };
        let response = client.send(Method::POST, "/api/session", Some(json!({"name": name, "token": token}))).await?;
        let status = response.status();
        let cookie = response.headers().get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
        client.cookie = cookie.and_then(|cookie| cookie.split(';').next()).unwrap_or_default().to_owned();
        let body: Value = response.json().await.map_err(|error| NoAnswer(error.to_string()))?;
        if status != StatusCode::OK {
            return Err(NoAnswer(format!("{status}: {body}")));
        }
        client.id = body["member"]["id"].as_str().expect("a member").to_owned();
        Ok(client)
    }

    /// The secret of the session.
    pub fn cookie_value(&self) -> &str {
        self.cookie.split_once('=').map_or("", |(_, value)| value)
    }

    /// The same person after a restart, at another port.
    pub fn move_to(&mut self, url: &str) {
        url.clone_into(&mut self.url);
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<Response, NoAnswer> {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).header(header::COOKIE, &self.cookie);
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.map_err(|error| NoAnswer(format!("{error:?}")))
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<(u16, Value), NoAnswer> {
        let response = self.send(method, path, body).await?;
        let status = response.status().as_u16();
        let text = response.text().await.map_err(|error| NoAnswer(error.to_string()))?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    pub async fn get(&self, path: &str) -> Result<(u16, Value), NoAnswer> {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Result<(u16, Value), NoAnswer> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Writes into a channel or a thread.
    pub async fn write(
        &self,
        channel: &str,
        thread: Option<&str>,
        text: &str,
        key: &str,
    ) -> Result<(u16, Value), NoAnswer> {
        let body = json!({"text": text, "thread": thread, "key": key});
        self.post(&format!("/api/channels/{channel}/messages"), body).await
    }

    pub async fn press(&self, channel: &str, message: &str, action: &str) -> Result<(u16, Value), NoAnswer> {
        self.post("/api/actions", json!({"action": action, "channel": channel, "message": message})).await
    }

    pub async fn submit(
        &self,
        channel: &str,
        message: &str,
        action: &str,
        answer: &str,
    ) -> Result<(u16, Value), NoAnswer> {
        let body = json!({"action": action, "channel": channel, "message": message, "values": {"answer": answer}});
        self.post("/api/forms", body).await
    }

    /// The newest messages of a channel, oldest first.
    pub async fn messages(&self, channel: &str) -> Result<Vec<Value>, NoAnswer> {
        let (status, body) = self.get(&format!("/api/channels/{channel}/messages?limit=200")).await?;
        match (status, body["messages"].as_array()) {
            (200, Some(messages)) => Ok(messages.clone()),
            _ => Err(NoAnswer(format!("{status}: {body}"))),
        }
    }

    /// The cards that can be answered: (id of the message, action of its Answer button).
    pub async fn open_cards(&self, channel: &str) -> Result<Vec<(String, String)>, NoAnswer> {
        let answer = |message: &Value| {
            let buttons = message["message"]["buttons"].as_array()?;
            let action =
                buttons.iter().find_map(|button| button["action"].as_str().filter(|a| a.starts_with("answer:")))?;
            Some((message["id"].as_str()?.to_owned(), action.to_owned()))
        };
        Ok(self.messages(channel).await?.iter().filter_map(answer).collect())
    }
}
