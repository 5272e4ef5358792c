//! Requests and their answers, asked and given.

use crate::dialogue::{connected, grant, hear, in_words};
use crate::support::{FakeServer, Peer};
use std::time::Duration;
use workyard_channel::{Answer, ChannelClient, Error, ErrorKind, Event};
use workyard_protocol::channel::{
    Answer as Answered, Push, Question, Reply, Request, Unanswered, UnansweredCause,
};
use workyard_protocol::{ChannelName, Reason, ValueRef};

const PATIENCE: Duration = Duration::from_secs(5);

async fn question(peer: &mut Peer, number: u64, channel: &str, value: i64) {
    let channel = ChannelName::new(channel).unwrap();
    let value = ValueRef::Int(value);
    let question = Question { question: number, channel, attempt: 1, timeout_ms: 60_000, value };
    peer.push(Push::Question(question)).await;
}

async fn answered(peer: &mut Peer, question: u64, declined: bool, value: i64) {
    let value = ValueRef::Int(value);
    peer.push(Push::Answered(Answered { question, declined, value })).await;
}

async fn unanswered(peer: &mut Peer, question: u64, cause: UnansweredCause) {
    peer.push(Push::Unanswered(Unanswered { question, cause })).await;
}

/// Hears a request, and gives it a number.
async fn asked(peer: &mut Peer, expected: &str, question: u64) {
    let id = hear(peer, expected).await;
    peer.reply(id, Reply::Asked { question }).await;
}

fn int(answer: Result<Answer, Error>) -> i64 {
    answer.unwrap().decode().unwrap()
}

#[tokio::test]
async fn answers_find_their_questions_in_any_order() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let ask = |value: i64| {
        let client = &client;
        async move { client.request("sum", &value, PATIENCE).await }
    };
    let serving = async {
        for number in 1..=3 {
            asked(&mut peer, &format!("ask sum {number} 5000 ms"), number * 10).await;
        }
        for number in [3, 1, 2] {
            answered(&mut peer, number * 10, false, number.cast_signed() * 100).await;
        }
    };
    let (one, two, three, ()) = tokio::join!(ask(1), ask(2), ask(3), serving);
    assert_eq!([one, two, three].map(int), [100, 200, 300]);
}

#[tokio::test]
async fn a_request_says_whether_it_may_be_repeated() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        asked(&mut peer, "ask sum 1 250 ms, repeatable", 1).await;
        answered(&mut peer, 1, false, 7).await;
    };
    let repeatable = client.with_repeatable_requests();
    let (answer, ()) =
        tokio::join!(repeatable.request("sum", &1, Duration::from_micros(249_001)), serving);
    assert_eq!(int(answer), 7);
}

#[tokio::test]
async fn what_becomes_of_a_request_is_told_by_its_error() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        let id = hear(&mut peer, "ask sum 1 5000 ms").await;
        peer.refuse(id, Reason::NoResponders).await;
        let id = hear(&mut peer, "ask sum 1 5000 ms").await;
        peer.refuse(id, Reason::RespondersBusy).await;
        asked(&mut peer, "ask sum 1 5000 ms", 1).await;
        answered(&mut peer, 1, true, 13).await;
        for (number, cause) in [
            (2, UnansweredCause::TimedOut),
            (3, UnansweredCause::ResponderGone),
            (4, UnansweredCause::AskerSlow),
        ] {
            asked(&mut peer, "ask sum 1 5000 ms", number).await;
            unanswered(&mut peer, number, cause).await;
        }
    };
    let asking = async {
        let mut kinds = Vec::new();
        for _ in 0..6 {
            let error = client.request("sum", &1, PATIENCE).await.unwrap_err();
            if let Error::Declined { value } = &error {
                assert_eq!(value.as_ref(), ValueRef::Int(13));
            }
            kinds.push((error.kind(), error.outcome_unknown()));
        }
        kinds
    };
    let (kinds, ()) = tokio::join!(asking, serving);
    let expected = [
        (ErrorKind::NoResponders, false),
        (ErrorKind::Refused, false),
        (ErrorKind::Declined, false),
        (ErrorKind::TimedOut, true),
        (ErrorKind::Unanswered, true),
        (ErrorKind::Unanswered, true),
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn an_answer_to_a_request_that_was_given_up_goes_to_nobody() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let hasty = client.request("sum", &1, Duration::from_millis(20));
    let (error, ()) = tokio::join!(hasty, asked(&mut peer, "ask sum 1 20 ms", 1));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::TimedOut);
    {
        let dropped = client.request("sum", &2, PATIENCE);
        tokio::select! {
            _ = dropped => panic!("it has no answer yet"),
            () = asked(&mut peer, "ask sum 2 5000 ms", 2) => {}
        }
    }
    let serving = async {
        asked(&mut peer, "ask sum 3 5000 ms", 3).await;
        unanswered(&mut peer, 1, UnansweredCause::TimedOut).await;
        answered(&mut peer, 2, false, 20).await;
        answered(&mut peer, 3, false, 30).await;
    };
    let (answer, ()) = tokio::join!(client.request("sum", &3, PATIENCE), serving);
    assert_eq!(int(answer), 30);
}

#[tokio::test]
async fn a_request_whose_connection_is_lost_fails_at_once() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        asked(&mut peer, "ask sum 1 3600000 ms", 1).await;
        hear(&mut peer, "ask sum 2 3600000 ms").await;
        drop(peer);
        server.welcome().await
    };
    let hour = Duration::from_secs(3600);
    let one = client.request("sum", &1, hour);
    let two = client.request("sum", &2, hour);
    let (one, two, mut peer) = tokio::join!(one, two, serving);
    for error in [one.unwrap_err(), two.unwrap_err()] {
        assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Disconnected, true));
    }
    // The new connection's numbers are its own.
    let serving = async {
        asked(&mut peer, "ask sum 3 5000 ms", 1).await;
        answered(&mut peer, 1, false, 3).await;
    };
    let (answer, ()) = tokio::join!(client.request("sum", &3, PATIENCE), serving);
    assert_eq!(int(answer), 3);
}

#[tokio::test]
async fn an_answer_to_another_question_than_asked_ends_the_connection() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let serving = async {
        let id = hear(&mut peer, "ask sum 1 5000 ms").await;
        peer.reply(id, Reply::Done).await;
        assert!(peer.next().await.is_none(), "it hangs up");
    };
    let (error, ()) = tokio::join!(client.request("sum", &1, PATIENCE), serving);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Disconnected);
}

#[tokio::test]
async fn what_can_never_be_asked_is_not_sent() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let error = client.request([0; 4097], &1, PATIENCE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidName);
    let error = client.request("sum", &1, Duration::from_secs(3601)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(client.serve([0; 4097]).await.unwrap_err().kind(), ErrorKind::InvalidName);
    drop(client);
    assert!(peer.next().await.is_none(), "nothing was sent");
}

#[tokio::test]
async fn a_responder_answers_and_declines() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (responder, ()) = tokio::join!(client.serve("sum"), grant(&mut peer, "serve sum"));
    let mut responder = responder.unwrap();
    for number in 1..=4 {
        question(&mut peer, number, "sum", 7).await;
    }
    let first = responder.next().await.unwrap();
    assert_eq!((first.id(), first.channel(), first.attempt()), (1, &b"sum"[..], 1));
    assert_eq!(first.decode::<i64>().unwrap(), 7);
    assert!(first.time_left() > Duration::from_secs(50));
    let (done, ()) = tokio::join!(first.answer(&8), grant(&mut peer, "answer 1 8"));
    done.unwrap();
    let second = responder.next().await.unwrap();
    let (done, ()) = tokio::join!(second.decline("no"), grant(&mut peer, "decline 2 no"));
    done.unwrap();
    let third = responder.next().await.unwrap();
    let serving = async {
        let id = hear(&mut peer, "answer 3 8").await;
        peer.refuse(id, Reason::UnknownQuestion).await;
    };
    let (late, ()) = tokio::join!(third.answer(&8), serving);
    assert_eq!(late.unwrap_err().kind(), ErrorKind::TooLate);
    drop(responder.next().await.unwrap());
    grant(&mut peer, "decline 4 the responder dropped it without an answer").await;
}

#[tokio::test]
async fn a_responder_that_is_dropped_declines_what_it_has_not_seen() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (responder, ()) = tokio::join!(client.serve("sum"), grant(&mut peer, "serve sum"));
    question(&mut peer, 1, "sum", 7).await;
    let mut responder = responder.unwrap();
    let held = responder.next().await.unwrap();
    question(&mut peer, 2, "sum", 7).await;
    client_has_read(&client, &mut peer).await;
    drop(responder);
    grant(&mut peer, "serve no more sum").await;
    grant(&mut peer, "decline 2 the responder has ended").await;
    question(&mut peer, 3, "sum", 7).await;
    grant(&mut peer, "decline 3 the responder has ended").await;
    let (done, ()) = tokio::join!(held.answer(&8), grant(&mut peer, "answer 1 8"));
    done.unwrap();
}

#[tokio::test]
async fn a_responder_that_is_closed_gets_what_was_on_its_way() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (responder, ()) = tokio::join!(client.serve("sum"), grant(&mut peer, "serve sum"));
    let mut responder = responder.unwrap();
    let serving = async {
        let id = hear(&mut peer, "serve no more sum").await;
        question(&mut peer, 1, "sum", 7).await;
        peer.reply(id, Reply::Done).await;
    };
    let (closed, ()) = tokio::join!(responder.close(), serving);
    closed.unwrap();
    let question = responder.next().await.unwrap();
    let (done, ()) = tokio::join!(question.answer(&8), grant(&mut peer, "answer 1 8"));
    done.unwrap();
    assert!(responder.next().await.is_none(), "that was the last");
}

#[tokio::test]
async fn responders_of_one_client_take_turns() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (one, ()) = tokio::join!(client.serve("sum"), grant(&mut peer, "serve sum"));
    let (two, ()) = tokio::join!(client.serve("sum"), grant(&mut peer, "serve sum"));
    let (mut one, mut two) = (one.unwrap(), two.unwrap());
    for number in 1..=4 {
        question(&mut peer, number, "sum", 7).await;
    }
    let mut numbers = Vec::new();
    let mut held = Vec::new();
    for _ in 0..2 {
        for responder in [&mut one, &mut two] {
            let question = responder.next().await.unwrap();
            numbers.push(question.id());
            held.push(question);
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4]);
    // The server hears of the last one only.
    drop(one);
    drop(two);
    grant(&mut peer, "serve no more sum").await;
}

#[tokio::test]
async fn a_responder_serves_on_after_a_reconnect_and_its_old_questions_are_gone() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (responder, ()) = tokio::join!(client.serve("sum"), grant(&mut peer, "serve sum"));
    let mut responder = responder.unwrap();
    question(&mut peer, 1, "sum", 1).await;
    question(&mut peer, 2, "sum", 2).await;
    let held = responder.next().await.unwrap();
    client_has_read(&client, &mut peer).await;
    let mut events = client.events();
    drop(peer);
    while !matches!(events.next().await, Some(Event::Disconnected { .. })) {}
    assert_eq!(held.answer(&8).await.unwrap_err().kind(), ErrorKind::TooLate);
    let mut peer = server.welcome().await;
    grant(&mut peer, "serve sum").await;
    question(&mut peer, 1, "sum", 3).await;
    let question = responder.next().await.unwrap();
    assert_eq!(question.decode::<i64>().unwrap(), 3, "what waited went with its connection");
    let (done, ()) = tokio::join!(question.answer(&8), grant(&mut peer, "answer 1 8"));
    done.unwrap();
}

#[tokio::test]
async fn a_responder_that_a_new_server_refuses_ends() {
    let server = FakeServer::bind().await;
    let (client, mut peer) = connected(&server).await;
    let (responder, ()) = tokio::join!(client.serve("sum"), grant(&mut peer, "serve sum"));
    let mut responder = responder.unwrap();
    let mut events = client.events();
    drop(peer);
    let mut peer = server.welcome().await;
    let frame = peer.next().await.unwrap();
    let (id, request) = frame.request::<Request<'_>>();
    assert_eq!(in_words(&request), "serve sum");
    peer.refuse(id, Reason::LimitReached).await;
    assert!(responder.next().await.is_none());
    loop {
        match events.next().await.unwrap() {
            Event::RestoreRefused { name, .. } => break assert_eq!(name, "sum"),
            Event::Connected { .. } | Event::Disconnected { .. } => {}
            other => panic!("unexpected {other:?}"),
        }
    }
}

/// Everything that the server has sent so far is dealt with.
async fn client_has_read(client: &ChannelClient, peer: &mut Peer) {
    let pinging = client.ping();
    let serving = async {
        let frame = peer.frame().await.unwrap();
        match frame.to_server::<Request<'_>>() {
            workyard_protocol::ToServer::Ping(token) => peer.pong(token).await,
            other => panic!("no ping: {other:?}"),
        }
    };
    let (pinged, ()) = tokio::join!(pinging, serving);
    pinged.unwrap();
}
