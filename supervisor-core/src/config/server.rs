//! `[unix_http_server]` and `[inet_http_server]`: where the daemon listens.

use crate::domain::server::{Credentials, Server, ServerAddress};

use super::convert;
use super::error::{ConfigError, ErrorKind};
use super::group::Context;
use super::section::Reader;

type Result<T> = std::result::Result<T, ConfigError>;

/// All servers: those on TCP ports first, in the order of the file, then those on socket files.
pub(crate) fn servers(context: &Context<'_>) -> Result<Vec<Server>> {
    let mut servers = Vec::new();
    for (kind, address) in [("inet_http_server", inet as fn(&Reader<'_>) -> _), ("unix_http_server", unix)] {
        for section in context.document.sections().iter().filter(|section| section.name.starts_with(kind)) {
            let reader = context.reader(section);
            let mut server = Server::new(reader.name(), address(&reader)?);
            server.credentials = credentials(&reader)?;
            if let (Some(credentials), Some(check)) = (&server.credentials, context.passwords) {
                check(&credentials.password).map_err(|reason| {
                    let section = reader.name().to_owned();
                    reader.error("password", ErrorKind::Password { section, reason })
                })?;
            }
            server.allowed_origins = reader.value("allowed_origins", convert::origins)?;
            server.allowed_hosts = reader.value("allowed_hosts", convert::hosts)?;
            servers.push(server);
        }
    }
    Ok(servers)
}

fn without(reader: &Reader<'_>, key: &'static str) -> ErrorKind {
    ErrorKind::ServerWithout { section: reader.name().to_owned(), key }
}

fn unix(reader: &Reader<'_>) -> Result<ServerAddress> {
    let host = reader.host;
    let file = reader.required("file", || without(reader, "file"))?;
    Ok(ServerAddress::Unix {
        path: convert::absolute(&convert::expand_user(&file, host), host),
        mode: reader.value("chmod", |text| convert::socket_mode(text, "chmod"))?,
        owner: reader.optional("chown", |text| convert::owner(text, "sockchown", host))?,
    })
}

fn inet(reader: &Reader<'_>) -> Result<ServerAddress> {
    let text = reader.required("port", || without(reader, "port"))?;
    let (host, port) = convert::host_and_port(&text).map_err(|error| reader.error("port", error))?;
    Ok(ServerAddress::Inet { host, port })
}

/// Both or neither; an empty user name asks for nothing.
fn credentials(reader: &Reader<'_>) -> Result<Option<Credentials>> {
    match (reader.text("username")?, reader.text("password")?) {
        (None, None) => Ok(None),
        (Some(username), Some(_)) if username.is_empty() => Ok(None),
        (Some(username), Some(password)) => {
            Ok(Some(Credentials { username: username.into_owned(), password: password.into_owned() }))
        }
        _ => Err(reader.end(ErrorKind::IncompleteAuthentication(reader.name().to_owned()))),
    }
}
