//! Workers share jobs without a coordinator: workers [target]
//!
//! All workers receive jobs, results and views in the same order. Therefore each worker can compute
//! the owner of each job by itself, and all workers compute the same owner. The jobs of a worker
//! that leaves are assigned again.

use spread_sidecar::{Event, Mailbox, MailboxOptions, NameConflict, Service, Sidecar, SpreadError};

const JOBS: &str = "jobs";
const RESULTS: &str = "results";
const JOB: i32 = 1;
const RESULT: i32 = 2;

/// Does jobs. Leaves when it is assigned more than `most` jobs.
async fn work(mailbox: Mailbox, most: usize) -> Result<(), SpreadError> {
    let mut members: Vec<String> = Vec::new();
    // In the order in which the jobs arrived, which is the same for all workers.
    let mut owners: Vec<(String, String)> = Vec::new();
    let (mut turn, mut done) = (0, 0);
    let mut events = mailbox.events();
    while let Some(event) = events.next().await {
        let mut unowned = Vec::new();
        match event? {
            Event::View(view) => {
                members = view.members;
                // The unfinished jobs of workers that left are assigned again.
                let gone = |(_, owner): &(String, String)| !members.contains(owner);
                unowned.extend(owners.iter().filter(|job| gone(job)).map(|(job, _)| job.clone()));
            }
            Event::Regular(message) if message.message_type == JOB => unowned.push(message.text()),
            Event::Regular(message) => owners.retain(|(job, _)| *job != message.text()),
            _ => {}
        }
        for job in unowned {
            let owner = members[turn % members.len()].clone();
            turn += 1;
            let mine = owner == mailbox.private_group();
            match owners.iter_mut().find(|(known, _)| *known == job) {
                Some(entry) => entry.1 = owner,
                None => owners.push((job.clone(), owner)),
            }
            if !mine {
                continue;
            }
            if done == most {
                mailbox.disconnect().await?;
                return Ok(());
            }
            done += 1;
            mailbox.multigroup_multicast(Service::AGREED_MESS, [JOBS, RESULTS], job, RESULT).await?;
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let target = std::env::args().nth(1).unwrap_or_else(|| spread_sidecar::DEFAULT_TARGET.to_owned());
    let sidecar = Sidecar::new(target)?;
    let mut workers = Vec::new();
    for (number, most) in [2, 12, 12].into_iter().enumerate() {
        let options = MailboxOptions::named(format!("worker{number}")).on_name_conflict(NameConflict::Suffix);
        let mailbox = sidecar.connect(options).await?;
        mailbox.join_and_await_view(JOBS).await?;
        workers.push((mailbox.clone(), tokio::spawn(work(mailbox, most))));
    }
    let boss = sidecar.connect(MailboxOptions::named("boss").on_name_conflict(NameConflict::Suffix)).await?;
    boss.join_and_await_view(RESULTS).await?;
    for number in 0..12 {
        boss.multicast(Service::AGREED_MESS, JOBS, format!("job {number}"), JOB).await?;
    }
    let mut missing = 12;
    while missing > 0 {
        if let Event::Regular(message) = boss.receive().await? {
            println!("{} was done by {}", message.text(), message.sender);
            missing -= 1;
        }
    }
    for (mailbox, worker) in workers {
        mailbox.disconnect().await?;
        worker.await??;
    }
    sidecar.close().await?;
    Ok(())
}
