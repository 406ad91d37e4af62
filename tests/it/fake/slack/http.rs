//! The HTTP server before the methods: connections that can be cut, faults, tokens, rate limits, and the checks of every body.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Request as HttpRequest, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::super::door::{Cut, Door};
use super::Shared;
use super::api::{self, Call, Method, Refusal, Token, refused};
use super::faults::{Fault, Outage};
use super::model::{Model, Request, now_s};
use super::rates::Tier;
use super::{samples, schema};

/// Serves for as long as the fake lives.
pub async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let reached = Arc::clone(&shared);
    let door = Door::new(listener, move || reached.model().faults.outage != Some(Outage::Unreachable));
    let app = Router::new().fallback(answer).with_state(shared);
    let _ = axum::serve(door, app.into_make_service_with_connect_info::<Cut>()).await;
}

/// What is to be sent, and how.
struct Plan {
    status: u16,
    body: Value,
    /// Sent instead of JSON.
    plain: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
    late: Duration,
    cut: bool,
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: HttpRequest,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let header =
        |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let bytes = to_bytes(body, 1 << 20).await.unwrap_or_default();
    let asked = Asked {
        verb: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        authorization: header(AUTHORIZATION),
        content_type: header(CONTENT_TYPE),
        body: String::from_utf8_lossy(&bytes).into_owned(),
    };
    let plan = shared.change(|model| {
        let (mut plan, body) = asked.meet(model);
        model.keep(asked.method(), &body);
        model.violations.extend(samples::answered(asked.method(), &plan.body));
        let now_s = i64::try_from(now_s()).unwrap_or_default() + model.timing.ahead_s;
        let date = jiff::Timestamp::from_second(now_s).expect("an instant");
        plan.headers.push(("date", date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()));
        model.log.push(Request {
            method: asked.method().to_owned(),
            body,
            token: asked.authorization.trim_start_matches("Bearer ").to_owned(),
            status: if plan.cut { 0 } else { plan.status },
            answer: plan.body.clone(),
            at: Instant::now(),
        });
        plan
    });
    tokio::time::sleep(plan.late).await;
    if plan.cut {
        cut.set();
    }
    plan.respond()
}

/// A request as it came.
struct Asked {
    verb: String,
    path: String,
    query: String,
    authorization: String,
    content_type: String,
    body: String,
}

/// Fields of a form or a query.
fn fields(text: &str) -> BTreeMap<String, String> {
    reqwest::Url::parse(&format!("http://form/?{text}"))
        .map(|url| url.query_pairs().into_owned().collect())
        .unwrap_or_default()
}

impl Asked {
    fn method(&self) -> &str {
        match self.path.strip_prefix("/api/") {
            Some(method) => method,
            None if self.path.starts_with("/actions/") => "response_url",
            None => &self.path,
        }
    }

    /// Everything between the request and the answer; with the body as it was understood.
    fn meet(&self, model: &mut Model) -> (Plan, Value) {
        let body = self.understood(model);
        match model.faults.outage {
            // A connection from before the outage.
            Some(Outage::Unreachable) => return (Plan { cut: true, ..Plan::of(503, Value::Null) }, body),
            Some(Outage::Unavailable) => {
                return (Plan { plain: Some("Service Unavailable"), ..Plan::of(503, Value::Null) }, body);
            }
            None => {}
        }
        let fault = model.faults.take(self.method());
        let mut plan = match &fault {
            Some(Fault::CutBeforeRequest) => Plan { cut: true, ..Plan::of(500, Value::Null) },
            Some(Fault::Status(status)) => Plan { plain: Some("an error"), ..Plan::of(*status, Value::Null) },
            Some(Fault::Error(code)) => Plan::of(200, refused(code).body()),
            Some(Fault::TooMany { retry_after_s }) => Plan::too_many(Duration::from_secs((*retry_after_s).into())),
            Some(Fault::Late(_) | Fault::CutAfterRequest) | None => self.carry_out(model, &body),
        };
        match fault {
            Some(Fault::Late(by)) => plan.late = by,
            Some(Fault::CutAfterRequest) => plan.cut = true,
            _ => {}
        }
        (plan, body)
    }

    /// Query, form or JSON as one object.
    fn understood(&self, model: &mut Model) -> Value {
        let mut all = json!(fields(&self.query));
        let kind = self.content_type.split(';').next().unwrap_or_default().trim();
        match kind {
            _ if self.body.is_empty() => {}
            "application/json" => match serde_json::from_str::<Value>(&self.body) {
                Ok(body @ Value::Object(_)) => super::wire::merge(&mut all, body),
                _ => model.violations.push(format!("{}: the body is no JSON object", self.method())),
            },
            "application/x-www-form-urlencoded" => super::wire::merge(&mut all, json!(fields(&self.body))),
            other => model.violations.push(format!("{}: Content-Type {other:?}", self.method())),
        }
        all
    }

    fn carry_out(&self, model: &mut Model, body: &Value) -> Plan {
        if self.path == "/oauth/v2/authorize" {
            return authorize(model, body);
        }
        if let Some(name) = self.path.strip_prefix("/actions/").and_then(|rest| rest.rsplit('/').next()) {
            let call = Call { body: body.clone(), team: None, client: None };
            return match api::respond(model, name, &call) {
                Ok(_) => Plan { plain: Some("ok"), ..Plan::of(200, Value::Null) },
                Err(refusal) => {
                    let status = if refusal.code.ends_with("_url") { 404 } else { 400 };
                    Plan::of(status, refusal.body())
                }
            };
        }
        let known = self.path.strip_prefix("/api/").and_then(api::find);
        let Some(method) = known else {
            model.violations.push(format!("the fake has nothing at {} {}", self.verb, self.path));
            return Plan::of(200, refused("unknown_method").body());
        };
        self.arguments(model, method);
        let mut plan = match self.call(model, method, body) {
            Ok(answer) => Plan::of(200, answer),
            Err(Refusal { retry_after: Some(wait), .. }) => Plan::too_many(wait),
            Err(refusal) => Plan::of(200, refusal.body()),
        };
        // Slack's own clients read it: `scopes` in the results of node-slack-sdk's WebClient.
        if let Some(install) = api::who(model, self.token(body)).ok().and_then(|team| model.install_of(team)) {
            let scopes: Vec<&str> = install.scopes.iter().map(String::as_str).collect();
            plan.headers.push(("x-oauth-scopes", scopes.join(",")));
        }
        plan
    }

    fn token<'a>(&'a self, body: &'a Value) -> &'a str {
        let in_form = body["token"].as_str().unwrap_or_default();
        self.authorization.strip_prefix("Bearer ").unwrap_or(in_form)
    }

    /// Whether the arguments come as Slack reads them.
    fn arguments(&self, model: &mut Model, method: &Method) {
        let json = self.content_type.starts_with("application/json");
        if method.reads && json && !self.body.is_empty() && self.body != "{}" {
            model.violations.push(format!("{}: takes a query or a form, no JSON", method.name));
        }
        if json && !self.content_type.contains("charset=utf-8") && !self.body.is_ascii() {
            model.violations.push(format!("{}: JSON without charset=utf-8", method.name));
        }
        if json && let Ok(body) = serde_json::from_str::<Value>(&self.body) {
            let wrong = schema::check(method.name, &body);
            model.violations.extend(wrong.iter().map(|why| format!("{}: {why}", method.name)));
        }
    }

    fn call(&self, model: &mut Model, method: &Method, body: &Value) -> Result<Value, Refusal> {
        let token = self.token(body);
        let is_app = token == model.app.app_token;
        let team = match method.token {
            Token::None => None,
            Token::App if is_app => None,
            Token::App if token.is_empty() => return Err(refused("not_authed")),
            Token::App if api::who(model, token).is_ok() => return Err(refused("not_allowed_token_type")),
            Token::App => return Err(refused("invalid_auth")),
            Token::Bot if is_app && method.name == "auth.test" => None,
            Token::Bot if is_app => return Err(refused("not_allowed_token_type")),
            Token::Bot => Some(api::who(model, token)?),
        };
        let channel = body["channel"].as_str().and_then(|id| id.parse().ok()).filter(|_| method.tier == Tier::Posting);
        let place = channel.or(team).unwrap_or(model.app.id);
        if let Err(wait) = model.rates.count(method.name, method.tier, place) {
            return Err(Refusal { retry_after: Some(wait), ..refused("ratelimited") });
        }
        if let Some(team) = team {
            api::needs_scope(model, team, method.scopes)?;
        }
        let basic = self.authorization.strip_prefix("Basic ").and_then(|text| {
            let bytes = data_encoding::BASE64.decode(text.as_bytes()).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            text.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
        });
        (method.carry_out)(model, &Call { body: body.clone(), team, client: basic })
    }
}

/// The page where somebody allows the app in: here it agrees at once and goes back with a code.
fn authorize(model: &mut Model, query: &Value) -> Plan {
    let text = |name: &str| query[name].as_str().map(str::to_owned);
    let team = text("team").and_then(|id| id.parse().ok()).or_else(|| {
        let without = model.teams.values().find(|team| team.install.is_none());
        without.or_else(|| model.teams.values().next()).map(|team| team.id)
    });
    let (Some(team), Some(redirect)) = (team, text("redirect_uri")) else {
        return Plan { plain: Some("no workspace or no redirect_uri"), ..Plan::of(400, Value::Null) };
    };
    if text("client_id").as_ref() != Some(&model.app.client_id) {
        return Plan { plain: Some("invalid client_id"), ..Plan::of(400, Value::Null) };
    }
    if let Some(scopes) = text("scope") {
        model.app.scopes = scopes.split([',', ' ']).filter(|one| !one.is_empty()).map(str::to_owned).collect();
    }
    let user = model.users.values().find(|user| user.team == team && user.owner).map(|user| user.id);
    let code = model.code(team, user.unwrap_or(team), Some(&redirect));
    let pairs = [("code", Some(code)), ("state", text("state"))];
    let query = super::events::form(pairs.iter().filter_map(|(name, value)| Some((*name, value.clone()?))));
    let location = format!("{redirect}{}{query}", if redirect.contains('?') { '&' } else { '?' });
    Plan { plain: Some(""), headers: vec![("location", location)], ..Plan::of(302, Value::Null) }
}

impl Plan {
    fn of(status: u16, body: Value) -> Plan {
        Plan { status, body, plain: None, headers: Vec::new(), late: Duration::ZERO, cut: false }
    }

    fn too_many(wait: Duration) -> Plan {
        let seconds = wait.as_secs_f64().ceil().max(1.0);
        let headers = vec![("retry-after", seconds.to_string())];
        Plan { headers, ..Plan::of(429, refused("ratelimited").body()) }
    }

    fn respond(self) -> Response<Body> {
        let text = self.plain.map_or_else(|| self.body.to_string(), str::to_owned);
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = StatusCode::from_u16(self.status).expect("a status of ours");
        let kind = if self.plain.is_some() { "text/plain; charset=utf-8" } else { "application/json; charset=utf-8" };
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        for (name, value) in self.headers {
            let value = HeaderValue::from_str(&value).expect("a value in ASCII");
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
        response
    }
}
