//! What the demonstration says to its visitor: lines to paste, and the list of persons.

use std::net::SocketAddr;

use population::Population;
use population::card::CardPlan;

use super::folder::Folder;

/// The lines to paste, once the service is up.
pub(super) fn curl_lines(
    folder: &Folder,
    population: &Population,
    listen: SocketAddr,
    admin: SocketAddr,
) -> String {
    let host = if listen.ip().is_unspecified() { "localhost".to_owned() } else { listen.ip().to_string() };
    let base = format!("https://{host}:{}", listen.port());
    let file = |name: &str| folder.path(name).display().to_string();
    let curl = format!(
        "curl -s --cacert {} --cert {} --key {} -H 'content-type: application/json'",
        file("tls/ca.pem"),
        file("clients/reception.pem"),
        file("clients/reception-key.pem")
    );
    let program =
        std::env::current_exe().map_or_else(|_| "shikaku".to_owned(), |path| path.display().to_string());
    let asked = population.situations().iter().find_map(|one| one.question.as_ref());
    let number = asked.map(|question| String::from_utf8(question.query().to_json()).unwrap_or_default());
    let card = population.cards().into_iter().find(|card| card.state == population::card::CardState::Good);
    let card = card.map_or_else(|| "good".to_owned(), |card| card.name.to_string());
    format!(
        "A nation of {people} people is being served at {base}; the operator's pages are at http://{admin}/status.

# by the numbers of an insured card
{curl} {base}/v1/eligibility/number -d '{number}'

# by a card: a challenge, the card's signature, the answer
CHALLENGE=$({curl} {base}/v1/challenges -d '{{}}' | sed 's/.*\"challenge\":\"\\([^\"]*\\)\".*/\\1/')
{program} card sign --certificate {certificate} --key {key} --challenge \"$CHALLENGE\" \\
  | {curl} {base}/v1/eligibility/card -d @-

Who else to ask for: {guide}. Ctrl-C stops.",
        people = population.people(),
        number = number.unwrap_or_default(),
        certificate = file(&format!("cards/{card}.der")),
        key = file(&format!("cards/{card}.key.pem")),
        guide = file("README.md"),
    )
}

/// The folder's own README: every named person, and what the desk should see.
pub(super) fn guide(population: &Population, cards: &[CardPlan]) -> String {
    let mut text = String::from(
        "# The people of this demonstration\n\nEverybody here is invented. Each person below shows one situation of the desk.\n\n\
         | person | what the desk should see | by number | by card | question by number |\n|---|---|---|---|---|\n",
    );
    let word = |expected: Option<population::situation::Expected>| {
        expected.map_or_else(String::new, |expected| match expected.reason() {
            Some(reason) => format!("`{}` ({reason})", expected.word()),
            None => format!("`{}`", expected.word()),
        })
    };
    for one in population.situations() {
        let query = one.question.as_ref().map_or_else(String::new, |question| {
            format!("`{}`", String::from_utf8(question.query().to_json()).unwrap_or_default())
        });
        let (by_number, by_card) = (word(one.by_number), word(one.by_card));
        text.push_str(&format!("| {} | {} | {by_number} | {by_card} | {query} |\n", one.name, one.desk));
    }
    text.push_str("\nCards (`cards/NAME.der` with `cards/NAME.key.pem`):\n\n| card | state |\n|---|---|\n");
    for card in cards {
        text.push_str(&format!("| {} | {} |\n", card.name, card.state.word()));
    }
    text
}
