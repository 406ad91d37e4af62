//! What goes wrong, as the API says it.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

/// A failed call: a status, a code for scripts and a sentence for people.
#[derive(Debug)]
pub struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    token_required: bool,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Failure {
        Failure { status, code, message: message.into(), token_required: false }
    }

    pub fn bad(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    pub fn signed_out(token_required: bool) -> Failure {
        Failure { token_required, ..Failure::new(StatusCode::UNAUTHORIZED, "signed_out", "Sign in first.") }
    }

    pub fn wrong_token() -> Failure {
        let message = "That is not the access token. Ask whoever runs this drillbot for it.";
        Failure { token_required: true, ..Failure::new(StatusCode::UNAUTHORIZED, "wrong_token", message) }
    }

    pub fn forbidden(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub fn unknown(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::NOT_FOUND, "unknown", message)
    }

    pub fn wrong_method() -> Failure {
        Failure::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "wrong_method",
            "This call has another method; see docs/web-api.md.",
        )
    }

    pub fn taken(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::CONFLICT, "taken", message)
    }

    pub fn too_long(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_long", message)
    }
}

/// What stands behind the question mark of an address; a slip in it is a failure like any other.
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Params(params)),
            Err(rejection) => Err(Failure::bad(format!("The address cannot be read: {}", rejection.body_text()))),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut body = json!({"error": {"code": self.code, "message": self.message}});
        if self.token_required {
            body["token_required"] = json!(true);
        }
        (self.status, Json(body)).into_response()
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        if error.downcast_ref::<crate::store::Unavailable>().is_some() {
            tracing::warn!(error = format!("{error:#}"), "a request has to be sent again");
            let message =
                "The database cannot be written just now; send it again in a moment. Sending it twice does no harm.";
            return Failure::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message);
        }
        tracing::error!(error = format!("{error:#}"), "a request failed");
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something broke here; it is in the log.")
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Failure {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Failure::too_long("That is far too long. Nothing was saved: shorten it and send it again.");
        }
        Failure::bad(format!("The request cannot be read: {}", rejection.body_text()))
    }
}
