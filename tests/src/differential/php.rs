//! PHP as a process that answers many questions.

use super::question::{Answer, Question};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

const REFUSED: u8 = 1;
const NOT_COMPARED: u8 = 2;
/// Of the MD5 that comes with each answer.
const DIGITS: usize = 32;

/// What PHP says to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// This, which has that MD5.
    Answer(Answer, Vec<u8>),
    /// The question came out as one that is not meant.
    Nothing,
}

/// The process.
pub(super) struct Php {
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Php {
    /// Starts it.
    pub(super) fn start() -> io::Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("php/differential.php");
        let mut child = Command::new("php")
            .args(["-n", "-d", "memory_limit=1G"])
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| io::Error::other(format!("cannot run `php`: {error}")))?;
        let input = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { child, input: BufWriter::new(input), output: BufReader::new(output) })
    }

    /// Asks all of these, and returns the answers in their order.
    pub(super) fn ask(&mut self, questions: &[Question]) -> io::Result<Vec<Said>> {
        let Self { input, output, .. } = self;
        thread::scope(|scope| {
            // Both sides would wait for each other if nobody read meanwhile.
            let asking = scope.spawn(|| {
                questions.iter().try_for_each(|question| send(input, question))?;
                // Answers are held back until this is read.
                input.write_all(&[0; 5])?;
                input.flush()
            });
            let answers = questions.iter().map(|_| said(output)).collect();
            let asked = asking.join().expect("writing does not panic");
            asked.and(answers)
        })
    }
}

impl Drop for Php {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn send(input: &mut impl Write, question: &Question) -> io::Result<()> {
    let length = u32::try_from(question.text.len()).map_err(io::Error::other)?;
    input.write_all(&[question.kind.code()])?;
    input.write_all(&length.to_be_bytes())?;
    input.write_all(&question.text)
}

fn said(output: &mut impl Read) -> io::Result<Said> {
    let mut head = [0; 5];
    output.read_exact(&mut head)?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    let mut digits = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    output.read_exact(&mut digits)?;
    Ok(match head[0] {
        NOT_COMPARED => Said::Nothing,
        REFUSED => Said::Answer(None, Vec::new()),
        _ => {
            let text = digits.split_off(DIGITS);
            Said::Answer(Some(text), digits)
        }
    })
}
