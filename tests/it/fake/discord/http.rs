//! The HTTP server before the routes: connections that can be cut, faults, the token, rate limits, and the checks of every body.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Request as HttpRequest, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderName, HeaderValue, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::super::door::{Cut, Door};
use super::Shared;
use super::faults::{Fault, Outage};
use super::limits;
use super::model::{Model, Request};
use super::rates::{Over, Standing};
use super::rest::{self, Call, Refusal, Route};
use super::schema::{self, Part};

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
    body: Option<Value>,
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
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        token: header(AUTHORIZATION),
        agent: header(USER_AGENT),
        content_type: header(CONTENT_TYPE),
        body: if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&bytes).map_err(|_| ()) },
    };
    let plan = shared.change(|model| {
        let plan = asked.meet(model);
        let date = jiff::Timestamp::from_second(super::model::now_ms() / 1000 + model.timing.ahead_s);
        let mut plan = plan;
        plan.headers.push(("date", date.expect("an instant").strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()));
        let status = if plan.cut { 0 } else { plan.status };
        model.log.push(Request {
            method: asked.method.clone(),
            path: asked.path.clone(),
            query: asked.query.clone(),
            body: asked.body.clone().unwrap_or_default(),
            status,
            at: Instant::now(),
        });
        if matches!(status, 401 | 403 | 429) {
            model.rates.invalid += 1;
        }
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
    method: String,
    path: String,
    query: String,
    token: String,
    agent: String,
    content_type: String,
    body: Result<Value, ()>,
}

impl Asked {
    /// Everything between the request and the answer.
    fn meet(&self, model: &mut Model) -> Plan {
        match model.faults.outage {
            // A connection from before the outage.
            Some(Outage::Unreachable) => return Plan { cut: true, ..Plan::of(503, None) },
            Some(Outage::Unavailable) => {
                return Plan::of(503, Some(json!({"message": "503: Service Unavailable", "code": 0})));
            }
            None => {}
        }
        let path = self.path.strip_prefix("/api/v10").unwrap_or_default();
        let Some((route, pieces)) = rest::find(&self.method, path) else {
            model.violations.push(format!("the fake has no route {} {}", self.method, self.path));
            return Plan::of(404, Some(json!({"message": "404: Not Found", "code": 0})));
        };
        if !self.agent.starts_with("DiscordBot (") {
            let agent = &self.agent;
            model.violations.push(format!("User-Agent: {agent:?} is not \"DiscordBot (address, version)\""));
        }
        let fault = model.faults.take(&self.method, route.path, path);
        match &fault {
            Some(Fault::CutBeforeRequest) => return Plan { cut: true, ..Plan::of(500, None) },
            Some(Fault::Status(status, body)) => return Plan::of(*status, Some(body.clone())),
            Some(Fault::TooMany { retry_after, global, scope }) => {
                model.rates.too_many += 1;
                return Plan::too_many(*retry_after, *global, scope);
            }
            Some(Fault::Late(_) | Fault::CutAfterRequest) | None => {}
        }
        let mut plan = self.count_and_carry_out(model, route, pieces);
        match fault {
            Some(Fault::Late(by)) => plan.late = by,
            Some(Fault::CutAfterRequest) => plan.cut = true,
            _ => {}
        }
        plan
    }

    fn count_and_carry_out(&self, model: &mut Model, route: &Route, pieces: Vec<String>) -> Plan {
        if route.with_token && self.token != format!("Bot {}", model.application.token) {
            return Plan::of(401, Some(json!({"message": "401: Unauthorized", "code": 0})));
        }
        let major = if route.path.contains("{webhook_token}") { pieces.get(1) } else { pieces.first() };
        let standing = match model.rates.count(route.method, route.path, major.map_or("", String::as_str)) {
            Ok(standing) => standing,
            Err(Over { standing, global }) => {
                model.rates.too_many += 1;
                let mut plan = Plan::too_many(standing.reset_after, global, if global { "global" } else { "user" });
                plan.headers.extend(bucket_headers(&standing));
                return plan;
            }
        };
        let outcome = self.checked(model, route, pieces).and_then(|call| (route.carry_out)(model, &call));
        let (status, body) = outcome.unwrap_or_else(|refusal| (refusal.status, Some(refusal.body())));
        if let Some(body) = &body {
            let wrong = schema::check_body(route.method, route.path, Part::Response(status), body);
            let told = |why| format!("the fake's own answer {status} to {} {}: {why}", route.method, route.path);
            model.violations.extend(wrong.into_iter().map(told));
        }
        Plan { headers: bucket_headers(&standing), ..Plan::of(status, body) }
    }

    /// The call, when its query and body keep all rules; what breaks one is noted, and refused where Discord does.
    fn checked(&self, model: &mut Model, route: &Route, pieces: Vec<String>) -> Result<Call, Refusal> {
        let told = |at: &str, why: &str| format!("{} {}: {at}: {why}", self.method, self.path);
        let Ok(body) = self.body.clone() else {
            model.violations.push(told("body", "is not JSON"));
            return Err(Refusal::new(400, 50109, "The request body contains invalid JSON."));
        };
        if !body.is_null() && !self.content_type.starts_with("application/json") {
            model.violations.push(told("Content-Type", &self.content_type));
        }
        let query: BTreeMap<String, String> = axum::extract::Query::try_from_uri(
            &format!("/?{}", self.query).parse().map_err(|_| Refusal::invalid("query", "cannot be read"))?,
        )
        .map(|axum::extract::Query(query)| query)
        .map_err(|_| Refusal::invalid("query", "cannot be read"))?;
        let mut refusal = None;
        let mut refuse = |at: &str, why: &str| {
            refusal.get_or_insert_with(|| Refusal::invalid(at, why));
            told(at, why)
        };
        let mut wrong: Vec<String> = Vec::new();
        for why in schema::check_query(route.method, route.path, &query) {
            wrong.push(refuse("query", &why));
        }
        if route.form != limits::Form::Nothing {
            for why in schema::check_body(route.method, route.path, Part::Request, &as_specified(&body)) {
                wrong.push(refuse("body", &why));
            }
        }
        for problem in limits::check(route.form, &body) {
            let refused = problem.refused;
            wrong.push(if refused { refuse(&problem.at, &problem.why) } else { told(&problem.at, &problem.why) });
        }
        model.violations.extend(wrong);
        refusal.map_or(Ok(Call { pieces, query, body }), Err)
    }
}

/// The OpenAPI document wants `default_member_permissions` as a number, the documentation as a string; the service takes both.
fn as_specified(body: &Value) -> Value {
    let mut body = body.clone();
    for one in body.as_array_mut().into_iter().flatten() {
        let bits = one["default_member_permissions"].as_str().and_then(|bits| bits.parse::<u64>().ok());
        if let Some(bits) = bits {
            one["default_member_permissions"] = json!(bits);
        }
    }
    body
}

fn bucket_headers(standing: &Standing) -> Vec<(&'static str, String)> {
    let reset_after = standing.reset_after.as_secs_f64();
    let now = f64::from(u32::try_from(super::model::now_ms() / 1000).unwrap_or(u32::MAX));
    vec![
        ("x-ratelimit-limit", standing.limit.to_string()),
        ("x-ratelimit-remaining", standing.remaining.to_string()),
        ("x-ratelimit-reset", format!("{:.3}", now + reset_after)),
        ("x-ratelimit-reset-after", format!("{reset_after:.3}")),
        ("x-ratelimit-bucket", standing.bucket.clone()),
    ]
}

impl Plan {
    fn of(status: u16, body: Option<Value>) -> Plan {
        Plan { status, body, headers: Vec::new(), late: Duration::ZERO, cut: false }
    }

    fn too_many(retry_after: Duration, global: bool, scope: &str) -> Plan {
        // Rounded up, so that who waits exactly so long is not too early.
        let seconds = retry_after.as_secs_f64() + 0.001;
        let message = "You are being rate limited.";
        let body = json!({"message": message, "retry_after": seconds, "global": global, "code": 0});
        let mut headers = vec![("retry-after", seconds.ceil().to_string()), ("x-ratelimit-scope", scope.to_owned())];
        if global {
            headers.push(("x-ratelimit-global", "true".into()));
        }
        Plan { headers, ..Plan::of(429, Some(body)) }
    }

    fn respond(self) -> Response<Body> {
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = axum::http::StatusCode::from_u16(self.status).expect("a status of ours");
        if self.body.is_some() {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in self.headers {
            let value = HeaderValue::from_str(&value).expect("a value in ASCII");
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
        response
    }
}
