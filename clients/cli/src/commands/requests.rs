//! `workyard request` and `workyard serve`.

use super::{channel_client, check_restored, input_lines};
use crate::args::{Global, Kind, Request, Serve};
use crate::exit::{Revoked, Status};
use crate::output::Output;
use crate::signals::Signals;
use crate::value;
use anyhow::Context;
use serde_json::json;
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::task::JoinSet;
use workyard_channel::{ChannelClient, ErrorKind, Question, Value};

pub(crate) async fn request(
    global: &Global,
    args: &Request,
    output: &Output,
) -> anyhow::Result<Status> {
    let mut client = channel_client(global).await?;
    if args.repeatable {
        client = client.with_repeatable_requests();
    }
    if args.message == "-" {
        let mut lines = input_lines();
        while let Some(line) = lines.next_line().await? {
            ask(&client, global, args, &line, *output).await?;
        }
    } else {
        ask(&client, global, args, &args.message, *output).await?;
    }
    Ok(Status::Done)
}

async fn ask(
    client: &ChannelClient,
    global: &Global,
    args: &Request,
    text: &str,
    output: Output,
) -> anyhow::Result<()> {
    let question = value::from_text(text, args.kind)?;
    let answer = client.request_value(&args.channel, &question, global.timeout).await?;
    output.say(
        || answer.value().to_string(),
        || {
            let kind = answer.value().as_ref().tag().name();
            json!({ "value": value::to_json(answer.value()), "kind": kind })
        },
    )
}

pub(crate) async fn serve(
    global: &Global,
    args: &Serve,
    output: &Output,
) -> anyhow::Result<Status> {
    // Kept while requests are worked on: they are answered before this stops.
    let mut signals = Signals::new()?;
    let client = channel_client(global).await?;
    let mut responder = client.serve(&args.channel).await?;
    let mut events = client.events();
    let mut left = args.count.unwrap_or(u64::MAX);
    let mut at_work = JoinSet::new();
    output.say(String::new, || json!({ "serving": args.channel }))?;
    while left > 0 {
        tokio::select! {
            biased;
            () = signals.next() => break,
            Some(done) = at_work.join_next() => done??,
            question = responder.next(), if at_work.len() < args.at_once as usize => {
                let ended = || Revoked("the server ended the responder".to_owned());
                let question = question.ok_or_else(ended)?;
                at_work.spawn(carry_out(args.command.clone(), args.kind, question));
                left -= 1;
            }
            event = events.next() => check_restored(event)?,
        }
    }
    responder.close().await?;
    while let Some(done) = at_work.join_next().await {
        done??;
    }
    Ok(Status::Done)
}

/// Runs the command for a request, and answers.
async fn carry_out(command: Vec<String>, kind: Kind, question: Question) -> anyhow::Result<()> {
    let answered = match run(&command, question.value()).await? {
        Ok(printed) => {
            let text = printed.strip_suffix('\n').unwrap_or(&printed);
            match value::from_text(text, kind) {
                Ok(answer) => question.answer_value(&answer).await,
                Err(error) => question.decline(&error.to_string()).await,
            }
        }
        Err(why) => question.decline(&why).await,
    };
    match answered {
        Ok(()) => Ok(()),
        // Whoever asked has given up, or the connection was lost meanwhile.
        Err(error) if error.kind() == ErrorKind::TooLate => {
            anstream::eprintln!("{error}");
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// What the command prints, or why there is no answer.
async fn run(command: &[String], question: &Value) -> anyhow::Result<Result<String, String>> {
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Ctrl-C is for this process, which then waits for the command.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run {:?}", command[0]))?;
    let mut stdin = child.stdin.take();
    let input = match question {
        Value::Encoded { bytes, .. } => bytes.to_vec(),
        number => number.to_string().into_bytes(),
    };
    // A command that does not read its input is its own business.
    let writing = async {
        if let Some(mut stdin) = stdin.take() {
            let _ = stdin.write_all(&input).await;
        }
    };
    let (ended, ()) = tokio::join!(child.wait_with_output(), writing);
    let ended = ended?;
    if !ended.status.success() {
        return Ok(Err(format!("`{}` failed: {}", command.join(" "), ended.status)));
    }
    let printed = String::from_utf8(ended.stdout);
    Ok(printed.map_err(|_| format!("`{}` printed what is no text", command.join(" "))))
}
