//! As much of an SMTP server as a client needs to be rid of its mail.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};

/// A mail that was taken.
#[derive(Debug, Default)]
pub(super) struct Mail {
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) text: String,
}

pub(super) struct Server {
    pub(super) port: u16,
    pub(super) mails: Receiver<Mail>,
}

impl Server {
    /// Takes mail as long as the test runs.
    pub(super) fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, mails) = mpsc::channel();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let sender = sender.clone();
                // One that goes away has no mail for us.
                std::thread::spawn(move || client.and_then(|client| talk(client, &sender)));
            }
        });
        Self { port, mails }
    }
}

fn talk(mut client: TcpStream, mails: &Sender<Mail>) -> io::Result<()> {
    let mut lines = BufReader::new(client.try_clone()?).lines();
    client.write_all(b"220 lab\r\n")?;
    let mut mail = Mail::default();
    while let Some(line) = lines.next().transpose()? {
        let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let answer = match line.get(..4).unwrap_or_default().to_uppercase().as_str() {
            "MAIL" => {
                mail.from = address();
                "250 ok"
            }
            "RCPT" => {
                mail.to.push(address());
                "250 ok"
            }
            "DATA" => {
                client.write_all(b"354 go on\r\n")?;
                while let Some(line) = lines.next().transpose()?.filter(|line| line != ".") {
                    mail.text.push_str(&line);
                    mail.text.push('\n');
                }
                // The test may be over.
                let _ = mails.send(std::mem::take(&mut mail));
                "250 taken"
            }
            "QUIT" => return client.write_all(b"221 bye\r\n"),
            _ => "250 ok",
        };
        client.write_all(answer.as_bytes())?;
        client.write_all(b"\r\n")?;
    }
    Ok(())
}
