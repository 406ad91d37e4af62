//! The settings as people write them, and what they are told.

use super::*;

fn read(text: &str) -> Result<Config, Vec<Problem>> {
    read_with(text, &[])
}

fn read_with(text: &str, environment: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("drillbot.toml");
    std::fs::write(&path, text).unwrap();
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let base = folder.path().display().to_string();
    load(Some(&path), &environment).map_err(|problems| {
        problems
            .into_iter()
            .map(|problem| Problem { place: problem.place.replace(&format!("{base}/"), ""), ..problem })
            .collect()
    })
}

fn problems(text: &str) -> Vec<String> {
    read(text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn the_example_is_the_default() {
    let example = read(&example()).unwrap();
    let bare = load(None, &BTreeMap::new()).unwrap();
    let plain = |config: &Config| format!("{:?}", Config { database_by_default: true, ..config.clone() });
    assert_eq!(plain(&example), plain(&bare));
    assert_eq!(example.channels[0].id.as_str(), "web:daily-drill");
}

#[test]
fn the_shipped_example_is_the_one_the_command_prints() {
    assert_eq!(include_str!("../../deploy/drillbot.example.toml"), example());
}

#[test]
fn all_problems_come_at_once_with_their_lines() {
    let text = "[web]\nlisten = 80\nlisen = \"x\"\n\n[databas]\nurl = \"sqlite:x\"\n[daily]\ncron = \"9 o'clock\"\nzone = \"Europe/Londn\"\n";
    let found = problems(text);
    assert_eq!(found.len(), 5, "{found:#?}");
    assert_eq!(found[0], "drillbot.toml:2: listen takes a text in quotes");
    assert_eq!(found[1], "drillbot.toml:3: [web] has no setting lisen. Did you mean listen?");
    assert_eq!(found[2], "drillbot.toml:5: there is no section [databas]. Did you mean database?");
    assert!(found[3].starts_with("drillbot.toml:8: cron:"), "{found:#?}");
    assert!(found[4].starts_with("drillbot.toml:9: zone:") && found[4].contains("Europe/London"), "{found:#?}");
}

#[test]
fn broken_toml_names_its_line() {
    assert!(
        problems("[web]\nlisten = \"127.0.0.1:1\nenabled = true\n")[0].starts_with("drillbot.toml:2: this is no TOML")
    );
}

#[test]
fn the_environment_wins_and_its_mistakes_are_named() {
    let config = read_with("[web]\nlisten = \"127.0.0.1:1\"\n", &[("DRILLBOT_WEB_LISTEN", "127.0.0.1:2")]).unwrap();
    assert_eq!(config.web.listen.port(), 2);
    let wrong = read_with("", &[("DRILLBOT_WEB_LISTN", "x"), ("DRILLBOT_DELIVERY_LEASE_SECONDS", "0")]).unwrap_err();
    assert_eq!(
        wrong[0].to_string(),
        "environment DRILLBOT_DELIVERY_LEASE_SECONDS: lease_seconds is 0; it goes from 1 to 3600"
    );
    assert_eq!(
        wrong[1].to_string(),
        "environment DRILLBOT_WEB_LISTN: there is no such setting. Did you mean DRILLBOT_WEB_LISTEN?"
    );
    let lists = read_with("", &[("DRILLBOT_DAILY_TOPICS", "iam, eks")]).unwrap();
    assert_eq!(lists.channels[0].schedules[0].1.topics, ["iam", "eks"]);
}

#[test]
fn secrets_stay_out_of_the_file_and_out_of_sight() {
    let found = problems("[web]\naccess_token = \"hunter2hunter2hunter2\"\n");
    assert!(found[0].contains("DRILLBOT_WEB_ACCESS_TOKEN") && !found[0].contains("hunter2"), "{found:?}");
    let found = problems("[database]\nurl = \"postgres://bot:hunter2@db/drill\"\n");
    assert!(found[0].contains("url_file") && !found[0].contains("hunter2"), "{found:?}");
    let config = read_with("", &[("DRILLBOT_DATABASE_URL", "postgres://bot:hunter2@db/drill")]).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn other_addresses_than_loopback_demand_a_token() {
    let found = problems("[web]\nlisten = \"0.0.0.0:8080\"\n");
    assert!(found[0].contains("needs an access token"), "{found:?}");
    let short = read_with("[web]\nlisten = \"0.0.0.0:8080\"\n", &[("DRILLBOT_WEB_ACCESS_TOKEN", "short")]).unwrap_err();
    assert!(short[0].message.contains("too short"), "{short:?}");
    let token = [("DRILLBOT_WEB_ACCESS_TOKEN", "long enough to be a token")];
    assert!(read_with("[web]\nlisten = \"0.0.0.0:8080\"\n", &token).is_ok());
}

#[test]
fn channels_take_what_they_leave_out_from_daily() {
    let config = read(
        "[daily]\nzone = \"Europe/London\"\n[[channels]]\nplatform = \"web\"\nname = \"one\"\n\
         [[channels.schedules]]\nname = \"morning\"\nreveal = \"17:00\"\n\
         [[channels.schedules]]\nname = \"weekend\"\ncron = \"0 11 * * sat\"\n[[channels]]\nplatform = \"web\"\nname = \"two\"\n",
    )
    .unwrap();
    let [one, two] = config.channels.as_slice() else { panic!("two channels") };
    assert_eq!(one.schedules[0].1.reveal, "17:00");
    assert_eq!(one.schedules[0].1.zone, "Europe/London");
    assert_eq!(one.schedules[1].1.cron, "0 11 * * sat");
    assert_eq!(two.schedules[0].0, "daily");
}

#[test]
fn a_reveal_before_its_question_is_refused() {
    let found = problems("[daily]\nreveal = \"08:00\"\n");
    assert!(found[0].starts_with("drillbot.toml:2: reveal:") && found[0].contains("next day 08:00"), "{found:?}");
}
