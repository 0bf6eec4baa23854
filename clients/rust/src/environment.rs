//! The settings of a sidecar in environment variables. `docs/client-environment.md` has the rules
//! for all clients.

use std::sync::Arc;
use std::{fs, io};

use crate::SpreadError;
use crate::security::{BoxError, Tls, Token};

/// The environment variable with the target.
pub(crate) const TARGET: &str = "SPREAD_SIDECAR_TARGET";
const TLS: &str = "SPREAD_SIDECAR_TLS";
const CA: &str = "SPREAD_SIDECAR_TLS_CA";
const CERT: &str = "SPREAD_SIDECAR_TLS_CERT";
const KEY: &str = "SPREAD_SIDECAR_TLS_KEY";
const SERVER_NAME: &str = "SPREAD_SIDECAR_TLS_SERVER_NAME";
const TOKEN_FILE: &str = "SPREAD_SIDECAR_TOKEN_FILE";
const INSECURE: &str = "SPREAD_SIDECAR_INSECURE";

/// The options of a channel that the environment completes. None if the program does not set the
/// option.
#[derive(Clone, Default)]
pub(crate) struct ChannelOptions {
    /// Empty for the default.
    pub target: String,
    pub tls: Option<Tls>,
    pub token: Option<Token>,
    pub insecure: Option<bool>,
}

/// Fills in options from environment variables if the program sets no target. If the program sets a
/// target, the variables have no effect: a token must not go to a sidecar for which it is not
/// intended. Fails with `FIELD_INVALID` for an invalid variable or an unreadable PEM file.
pub(crate) fn complete(
    mut options: ChannelOptions,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<ChannelOptions, SpreadError> {
    if !options.target.is_empty() {
        return Ok(options);
    }
    let get = |name: &str| environment(name).filter(|value| !value.is_empty());
    options.target = get(TARGET).unwrap_or_default();
    if options.tls.is_none() {
        options.tls = read_tls(&get)?;
    }
    if options.token.is_none() {
        // Reads the file before each call, so that the token can change while the program runs.
        options.token = get(TOKEN_FILE).map(|path| {
            Token::Asked(Arc::new(move || {
                let token = read_token(&path);
                Box::pin(async { token.map_err(BoxError::from) })
            }))
        });
    }
    if options.insecure.is_none() {
        options.insecure = read_switch(&get, INSECURE)?;
    }
    Ok(options)
}

fn read_tls(get: &impl Fn(&str) -> Option<String>) -> Result<Option<Tls>, SpreadError> {
    let is_on = read_switch(get, TLS)?.unwrap_or(false);
    let server_name = get(SERVER_NAME);
    let (ca, cert, key) = (read_pem(get, CA)?, read_pem(get, CERT)?, read_pem(get, KEY)?);
    if !is_on && ca.is_none() && cert.is_none() && key.is_none() && server_name.is_none() {
        return Ok(None);
    }
    let mut tls = Tls::new();
    if let Some(pem) = ca {
        tls = tls.ca(pem);
    }
    tls = match (cert, key) {
        // The private key may be in the file of the certificate.
        (Some(cert), key) => tls.identity(&cert, key.as_ref().unwrap_or(&cert)),
        (None, Some(_)) => {
            return Err(SpreadError::option(
                "tls",
                "with both cert and key, or with neither",
                "tls.key is set without tls.cert; set both or neither",
            ));
        }
        (None, None) => tls,
    };
    Ok(Some(match server_name {
        Some(name) => tls.server_name(name),
        None => tls,
    }))
}

fn read_pem(get: &impl Fn(&str) -> Option<String>, variable: &str) -> Result<Option<Vec<u8>>, SpreadError> {
    let Some(path) = get(variable) else { return Ok(None) };
    match fs::read(&path) {
        Ok(pem) => Ok(Some(pem)),
        Err(error) => Err(unreadable(variable, "PEM", &path, &error)),
    }
}

fn read_token(path: &str) -> Result<String, SpreadError> {
    let text = fs::read_to_string(path).map_err(|error| unreadable(TOKEN_FILE, "text", path, &error))?;
    // The format of the sidecar's token files: lines may be comments, and a name may precede the
    // token.
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let token = line.and_then(|line| line.split_whitespace().next_back());
    token.map(str::to_owned).ok_or_else(|| {
        let bound = "the path of a file that contains a token";
        SpreadError::option(TOKEN_FILE, bound, format!("{TOKEN_FILE} must be {bound}; {path} contains no token"))
    })
}

fn unreadable(variable: &str, kind: &str, path: &str, error: &io::Error) -> SpreadError {
    let bound = format!("the path of a readable {kind} file");
    SpreadError::option(variable, &bound, format!("{variable} must be {bound}; cannot read {path}: {error}"))
}

fn read_switch(get: &impl Fn(&str) -> Option<String>, variable: &str) -> Result<Option<bool>, SpreadError> {
    let Some(value) = get(variable) else { return Ok(None) };
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(Some(true)),
        "false" | "0" => Ok(Some(false)),
        _ => Err(SpreadError::field(variable, "true, false, 1 or 0", value)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use serde_json::{Value, json};

    use super::*;
    use crate::Sidecar;

    /// A temporary folder, which is removed on drop.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &Value) -> Self {
            let path = std::env::temp_dir().join(format!("spread-environment-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            for (file, text) in files.as_object().unwrap() {
                fs::write(path.join(file), text.as_str().unwrap()).unwrap();
            }
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }

    fn shared() -> Value {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/conformance/environment.json");
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }

    async fn token_of(options: &ChannelOptions) -> Result<Option<String>, SpreadError> {
        match &options.token {
            None => Ok(None),
            Some(Token::Fixed(token)) => Ok(Some(token.clone())),
            Some(Token::Asked(ask)) => ask().await.map(Some).map_err(|error| *error.downcast().unwrap()),
        }
    }

    #[tokio::test]
    async fn the_shared_cases() {
        let shared = shared();
        let folder = Folder::new("cases", &shared["files"]);
        let cases = shared["cases"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let name = &case["name"];
            let environment = |variable: &str| {
                case["environment"][variable].as_str().map(|value| value.replace("FOLDER", folder.0.to_str().unwrap()))
            };
            let given = ChannelOptions {
                target: case["given"]["target"].as_str().unwrap_or_default().to_owned(),
                token: case["given"]["token"].as_str().map(|token| Token::Fixed(token.to_owned())),
                ..ChannelOptions::default()
            };
            let outcome = if case["error"]["at"] == "connect" {
                Err(Sidecar::builder(given.target).build_in(environment).expect_err("creating the channel must fail"))
            } else {
                let options = complete(given, environment).unwrap();
                token_of(&options).await.map(|token| (options, token))
            };
            match outcome {
                Ok((options, token)) => {
                    let target = Some(options.target).filter(|target| !target.is_empty());
                    let got = json!({
                        "target": target.as_deref().unwrap_or(crate::DEFAULT_TARGET),
                        "tls": options.tls.as_ref().map(Tls::to_json),
                        "token": token,
                        "insecure": options.insecure.unwrap_or(false),
                    });
                    assert_eq!(got, case["expected"], "{name}");
                }
                Err(error) => {
                    let expected = &case["error"];
                    assert_eq!(error.reason(), "FIELD_INVALID", "{name}");
                    assert!(error.message().contains(expected["message"].as_str().unwrap()), "{name}: {error}");
                    if let Some(field) = expected["field"].as_str() {
                        assert_eq!(error.metadata()["field"], field, "{name}");
                    }
                }
            }
        }
    }

    #[test]
    fn options_of_the_program_win() {
        let given = ChannelOptions { insecure: Some(false), tls: Some(Tls::new()), ..ChannelOptions::default() };
        let environment = |variable: &str| match variable {
            TARGET => Some("sidecar.example:4813".to_owned()),
            TLS => Some("maybe".to_owned()),
            INSECURE => Some("true".to_owned()),
            _ => None,
        };
        let options = complete(given, environment).unwrap();
        assert_eq!((options.target.as_str(), options.insecure), ("sidecar.example:4813", Some(false)));
    }

    #[tokio::test]
    async fn channels_use_the_environment() {
        let folder = Folder::new("channel", &json!({ "key.pem": "the key" }));
        let file = folder.0.join("key.pem").to_str().unwrap().to_owned();
        let build = |variables: &[(&str, &str)]| {
            Sidecar::builder("").build_in(|name| {
                variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
            })
        };
        for (variables, field) in [
            (&[(KEY, file.as_str())][..], "tls"),
            (&[(TARGET, "sidecar.example:4813"), (TOKEN_FILE, file.as_str())][..], "token"),
        ] {
            let error = build(variables).err().unwrap();
            assert_eq!((error.reason(), error.metadata()["field"].as_str()), ("FIELD_INVALID", field));
        }
        let missing = folder.0.join("missing").to_str().unwrap().to_owned();
        let sidecar = build(&[(TARGET, "127.0.0.1:1"), (TOKEN_FILE, missing.as_str())]).unwrap();
        assert_eq!(sidecar.target(), "127.0.0.1:1");
        let error = sidecar.version().await.unwrap_err();
        assert_eq!(
            (error.status(), error.outcome()),
            (crate::StatusCode::Unauthenticated, Some(crate::Outcome::NotSent))
        );
        assert!(error.message().contains(TOKEN_FILE) && error.message().contains(&missing), "{error}");
    }
}
