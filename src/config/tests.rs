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

const TOKEN: (&str, &str) = ("DRILLBOT_DISCORD_TOKEN", "abc.def.ghi");

#[test]
fn discord_is_there_with_a_token_and_only_then() {
    assert!(read("").unwrap().discord.is_none());
    assert!(read_with("", &[("DRILLBOT_DISCORD_TOKEN", " ")]).unwrap().discord.is_none());
    let config = read_with("", &[TOKEN]).unwrap();
    assert!(!format!("{config:?}").contains("abc.def"));
    let discord = config.discord.unwrap();
    assert_eq!((discord.token.expose(), discord.api_url.as_str()), ("abc.def.ghi", "https://discord.com"));
    assert_eq!((discord.guilds, discord.read_threads), (vec![], true));
    assert_eq!((discord.shards, discord.shard_range), (Shards::Auto, None));
    assert_eq!(config.channels[0].id.as_str(), "web:daily-drill");
    let text = "[database]\nurl = \"postgres://bot@db/drill\"\n[discord]\nguilds = [\"81384788765712384\"]\nread_threads = false\n\
                shards = 8\nshard_range = [4, 7]\napi_url = \"http://127.0.0.1:9/\"\n";
    let discord = read_with(text, &[TOKEN]).unwrap().discord.unwrap();
    assert_eq!((discord.guilds, discord.read_threads), (vec![81_384_788_765_712_384], false));
    assert_eq!((discord.shards, discord.shard_range), (Shards::Fixed(8), Some((4, 7))));
    assert_eq!(discord.api_url, "http://127.0.0.1:9");
    let environment = [
        TOKEN,
        ("DRILLBOT_DATABASE_URL", "postgres://bot@db/drill"),
        ("DRILLBOT_DISCORD_SHARDS", "4"),
        ("DRILLBOT_DISCORD_SHARD_RANGE", "0,3"),
        ("DRILLBOT_DISCORD_GUILDS", "1, 2"),
    ];
    let discord = read_with("", &environment).unwrap().discord.unwrap();
    assert_eq!((discord.shards, discord.shard_range), (Shards::Fixed(4), Some((0, 3))));
    assert_eq!(discord.guilds, [1, 2]);
}

#[test]
fn what_is_wrong_with_discord_is_said() {
    let postgres = "[database]\nurl = \"postgres://bot@db/drill\"\n[discord]\n";
    for (text, expect) in [
        ("[discord]\ntoken = \"abc\"\n", "drillbot.toml:2: a secret has no place here"),
        (
            "[discord]\napi_url = \"http://example.org\"\n",
            "drillbot.toml:2: api_url is \"http://example.org\"; the token goes there",
        ),
        ("[discord]\napi_url = \"http://127.0.0.1.example.org\"\n", "drillbot.toml:2: api_url is"),
        ("[discord]\napi_url = \"wss://discord.com\"\n", "drillbot.toml:2: api_url is"),
        ("[discord]\napi_url = \"discord.com\"\n", "drillbot.toml:2: api_url is"),
        ("[discord]\nguilds = [\"my server\"]\n", "drillbot.toml:2: \"my server\" is no id of a server"),
        ("[discord]\nguilds = [1]\n", "drillbot.toml:2: guilds takes texts in quotes"),
        ("[discord]\nshards = \"many\"\n", "drillbot.toml:2: shards takes \"auto\" or a number from 1 to 10000"),
        ("[discord]\nshards = 0\n", "drillbot.toml:2: shards is 0; it goes from 1 to 10000"),
        ("[discord]\nshard_range = \"0,3\"\n", "drillbot.toml:2: shard_range takes two numbers: [0, 3]"),
        (
            &format!("{postgres}shard_range = [0, 3]\n"),
            "drillbot.toml:4: shard_range says which shards this process takes",
        ),
        (
            &format!("{postgres}shards = 4\nshard_range = [0]\n"),
            "drillbot.toml:5: shard_range takes the first and the last",
        ),
        (
            &format!("{postgres}shards = 4\nshard_range = [0, 4]\n"),
            "drillbot.toml:5: shard_range is 0 to 4; with 4 shards they go from 0 to 3",
        ),
        (&format!("{postgres}shards = 4\nshard_range = [3, 0]\n"), "drillbot.toml:5: shard_range is 3 to 0"),
        ("[discord]\nshards = 4\nshard_range = [0, 1]\n", "drillbot.toml:3: several processes need one database"),
    ] {
        let found = read_with(text, &[TOKEN]).unwrap_err();
        assert!(found[0].to_string().starts_with(expect), "{text}: {found:#?}");
    }
    let found = read_with("", &[("DRILLBOT_DISCORD_TOKEN", "Bot abc")]).unwrap_err();
    assert!(found[0].message.contains("without \"Bot\"") && !found[0].message.contains("abc"), "{found:?}");
}

const SLACK: [(&str, &str); 2] = [("DRILLBOT_SLACK_BOT_TOKEN", "xoxb-1"), ("DRILLBOT_SLACK_APP_TOKEN", "xapp-1")];

#[test]
fn slacks_organisers_go_by_their_ids() {
    let slack = read_with("", &SLACK).unwrap().slack.unwrap();
    assert_eq!((slack.organisers, slack.broadcast_reveal), (vec![], false));
    let text = "[slack]\norganisers = [\"U0123ABCD\", \" W9 \"]\nbroadcast_reveal = true\n";
    let slack = read_with(text, &SLACK).unwrap().slack.unwrap();
    assert_eq!((slack.organisers, slack.broadcast_reveal), (vec!["U0123ABCD".to_owned(), "W9".to_owned()], true));
    for (wrong, said) in [
        ("organisers = [\"@ann\"]", "organisers has \"@ann\"; it takes ids of members like \"U0123ABCD\""),
        ("organisers = [\"U1\", \"Ann\"]", "organisers has \"Ann\""),
        ("broadcast_reveal = \"last\"", "broadcast_reveal is true or false, without quotes"),
    ] {
        let found = read_with(&format!("[slack]\n{wrong}\n"), &SLACK).unwrap_err();
        let found = found[0].to_string();
        assert!(found.starts_with("drillbot.toml:2: ") && found.contains(said), "{wrong}: {found}");
    }
}

#[test]
fn a_channel_of_discord_goes_by_its_id() {
    let channel = "[[channels]]\nplatform = \"discord\"\nid = \"123456789012345678\"\n";
    let config = read_with(channel, &[TOKEN]).unwrap();
    assert_eq!((config.channels.len(), config.channels[0].id.as_str()), (1, "discord:123456789012345678"));
    assert_eq!(config.channels[0].label(), "discord:123456789012345678");
    assert!(problems(channel)[0].contains("there is no token: set DRILLBOT_DISCORD_TOKEN"));
    let twice = format!("{channel}name = \"one\"\n{channel}");
    for (text, expect) in [
        ("[[channels]]\nplatform = \"discord\"\nname = \"general\"\n", "a channel of Discord goes by its id"),
        ("[[channels]]\nplatform = \"discord\"\nid = \"general\"\n", "this one is \"general\""),
        ("[[channels]]\nplatform = \"web\"\nname = \"a\"\nid = \"1\"\n", "goes by its name: leave the id out"),
        ("[[channels]]\nplatform = \"irc\"\nname = \"a\"\n", "this version knows \"web\", \"discord\" and \"slack\""),
        (&twice, "the channel 123456789012345678 stands here twice"),
    ] {
        let found = read_with(text, &[TOKEN]).unwrap_err();
        assert!(found[0].message.contains(expect), "{text}: {found:#?}");
    }
}

#[test]
fn a_demo_plays_in_the_web_chat_alone() {
    let text = "[[channels]]\nplatform = \"discord\"\nid = \"1\"\n[[channels.schedules]]\ncron = \"0 7 * * *\"\n";
    let config = read_with(text, &[TOKEN]).unwrap().web_only();
    assert!(config.discord.is_none());
    let [only] = config.channels.as_slice() else { panic!("one channel") };
    assert_eq!((only.id.as_str(), only.schedules[0].1.cron.as_str()), ("web:daily-drill", "0 7 * * *"));
    let both = format!("{text}[[channels]]\nplatform = \"web\"\nname = \"two\"\n");
    let config = read_with(&both, &[TOKEN]).unwrap().web_only();
    assert_eq!(config.channels.iter().map(Channel::label).collect::<Vec<_>>(), ["#two"]);
}

const BOT: (&str, &str) = ("DRILLBOT_SLACK_BOT_TOKEN", "xoxb-1-2-abc");
const APP: (&str, &str) = ("DRILLBOT_SLACK_APP_TOKEN", "xapp-1-A-1-def");
const SIGNING: (&str, &str) = ("DRILLBOT_SLACK_SIGNING_SECRET", "0123abcd");
const CLIENT: (&str, &str) = ("DRILLBOT_SLACK_CLIENT_ID", "1.2");
const CLIENT_SECRET: (&str, &str) = ("DRILLBOT_SLACK_CLIENT_SECRET", "5678efef");
/// 32 bytes, all zero.
const KEY: (&str, &str) = ("DRILLBOT_SLACK_TOKEN_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
const ADDRESS: (&str, &str) = ("DRILLBOT_SLACK_PUBLIC_URL", "https://drill.example.org/");

#[test]
fn slack_is_there_with_its_tokens_and_shows_none_of_them() {
    assert!(read("").unwrap().slack.is_none());
    let config = read_with("", &[BOT, APP]).unwrap();
    assert!(!format!("{config:?}").contains("abc") && !format!("{config:?}").contains("def\""));
    let slack = config.slack.unwrap();
    assert_eq!(slack.bot_token.map(|token| token.expose().to_owned()).as_deref(), Some("xoxb-1-2-abc"));
    assert_eq!(slack.app_token.map(|token| token.expose().to_owned()).as_deref(), Some("xapp-1-A-1-def"));
    assert_eq!((slack.api_url.as_str(), slack.command_prefix.as_str()), ("https://slack.com", ""));
    assert!(slack.signing_secret.is_none() && slack.oauth.is_none());
    let slack = read_with("[slack]\ncommand_prefix = \"aws-\"\n", &[BOT, SIGNING]).unwrap().slack.unwrap();
    assert_eq!((slack.app_token.is_none(), slack.command_prefix.as_str()), (true, "aws-"));
    let config = read_with("", &[SIGNING, CLIENT, CLIENT_SECRET, KEY, ADDRESS]).unwrap();
    assert!(!format!("{config:?}").contains("5678efef") && !format!("{config:?}").contains("AAAA"));
    let slack = config.slack.unwrap();
    assert!(slack.bot_token.is_none());
    assert_eq!(slack.public_url, "https://drill.example.org");
    assert_eq!(slack.oauth.map(|oauth| oauth.client_id).as_deref(), Some("1.2"));
}

#[test]
fn what_is_wrong_with_slack_is_said() {
    type Variables<'a> = &'a [(&'a str, &'a str)];
    let cases: [(&str, Variables<'_>, &str); 15] = [
        ("", &[BOT], "how is Slack to reach the bot? Set DRILLBOT_SLACK_APP_TOKEN"),
        ("", &[APP], "without the bot token it is of no use: set DRILLBOT_SLACK_BOT_TOKEN"),
        ("", &[SIGNING], "without the bot token it is of no use"),
        ("", &[("DRILLBOT_SLACK_BOT_TOKEN", "xapp-1"), APP], "bot_token begins with xoxb-"),
        ("", &[BOT, ("DRILLBOT_SLACK_APP_TOKEN", "xoxb-1")], "app_token begins with xapp-"),
        ("[web]\nenabled = false\n", &[BOT, SIGNING], "own web server, which is off: set web.enabled = true"),
        (
            "[slack]\napi_url = \"http://example.org\"\n",
            &[BOT, APP],
            "api_url is \"http://example.org\"; the tokens go there",
        ),
        ("[slack]\ncommand_prefix = \"AWS \"\n", &[BOT, APP], "command_prefix is \"AWS\"; it takes up to 16"),
        ("[slack]\npublic_url = \"http://example.org\"\n", &[BOT, APP], "Slack comes to https:// addresses only"),
        ("", &[BOT, APP, KEY], "it is of use with slack.client_id only"),
        ("", &[CLIENT, CLIENT_SECRET, KEY, ADDRESS], "how is Slack to reach the bot?"),
        ("", &[SIGNING, CLIENT, KEY, ADDRESS], "set DRILLBOT_SLACK_CLIENT_SECRET or slack.client_secret_file"),
        ("", &[SIGNING, CLIENT, CLIENT_SECRET, ADDRESS], "set DRILLBOT_SLACK_TOKEN_KEY or slack.token_key_file"),
        ("", &[SIGNING, CLIENT, CLIENT_SECRET, KEY], "set slack.public_url too"),
        (
            "",
            &[SIGNING, CLIENT, CLIENT_SECRET, ADDRESS, ("DRILLBOT_SLACK_TOKEN_KEY", "secret")],
            "key 1 is not 32 bytes in Base64; make one with: drillbot slack key",
        ),
    ];
    for (text, environment, expect) in cases {
        let found = read_with(text, environment).unwrap_err();
        assert_eq!(found.len(), 1, "{expect}: {found:#?}");
        assert!(found[0].message.contains(expect), "{expect}: {found:#?}");
        for (_, secret) in environment.iter().filter(|(name, _)| !name.ends_with("URL")) {
            assert!(!found[0].message.contains(secret), "{found:#?}");
        }
    }
    let channel = "[[channels]]\nplatform = \"slack\"\nid = \"T0123ABCD/C0123ABCD\"\n";
    assert!(problems(channel)[0].contains("there is no token: set DRILLBOT_SLACK_BOT_TOKEN"));
    let config = read_with(channel, &[BOT, APP]).unwrap();
    assert_eq!(config.channels[0].id.as_str(), "slack:T0123ABCD/C0123ABCD");
}

const LLM: &str = "[grading.llm]\nurl = \"http://127.0.0.1:11434/v1/\"\nmodel = \"qwen\"\n";

#[test]
fn the_judge_is_there_with_a_url_and_only_then() {
    assert!(read("").unwrap().llm.is_none());
    let llm = read(LLM).unwrap().llm.unwrap();
    assert_eq!((llm.url.as_str(), llm.model.as_str()), ("http://127.0.0.1:11434/v1", "qwen"));
    assert_eq!((llm.api_key, llm.timeout), (None, Duration::from_secs(20)));
    let environment = [
        ("DRILLBOT_GRADING_LLM_URL", "https://llm.example.org/v1"),
        ("DRILLBOT_GRADING_LLM_MODEL", "large"),
        ("DRILLBOT_GRADING_LLM_API_KEY", "sk-hunter2"),
        ("DRILLBOT_GRADING_LLM_TIMEOUT_SECONDS", "5"),
    ];
    let config = read_with(LLM, &environment).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let llm = config.llm.unwrap();
    assert_eq!((llm.url.as_str(), llm.model.as_str()), ("https://llm.example.org/v1", "large"));
    assert_eq!((llm.api_key.unwrap().expose(), llm.timeout), ("sk-hunter2", Duration::from_secs(5)));
}

#[test]
fn the_judges_key_comes_from_a_file_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "sk-hunter2\n").unwrap();
    let llm = read(&format!("{LLM}api_key_file = \"{}\"\n", key.display())).unwrap().llm.unwrap();
    assert_eq!(llm.api_key.unwrap().expose(), "sk-hunter2");
}

#[test]
fn what_is_wrong_with_the_judge_is_said() {
    let cases: [(&str, &str, &str); 9] = [
        ("[grading.llm]\nmodel = \"qwen\"\n", "drillbot.toml:2", "set grading.llm.url"),
        ("[grading.llm]\nurl = \"https://llm.example.org\"\n", "drillbot.toml:2", "Set grading.llm.model"),
        (
            "[grading.llm]\nmodel = \"m\"\nurl = \"http://llm.example.org\"\n",
            "drillbot.toml:3",
            "a machine of your own network",
        ),
        ("[grading.llm]\nmodel = \"m\"\nurl = \"llm\"\n", "drillbot.toml:3", "begins with https://"),
        (
            "[grading.llm]\nmodel = \"m\"\nurl = \"https://ann:hunter2@llm.example.org\"\n",
            "drillbot.toml:3",
            "a user or a password",
        ),
        ("[grading.llm]\napi_key = \"hunter2\"\n", "drillbot.toml:2", "DRILLBOT_GRADING_LLM_API_KEY"),
        ("[grading.llm]\nurll = \"x\"\n", "drillbot.toml:2", "[grading.llm] has no setting urll. Did you mean url?"),
        ("[grading]\nurl = \"x\"\n", "drillbot.toml:2", "there is no section [grading.url]. Did you mean grading.llm?"),
        ("grading = 3\n", "drillbot.toml:1", "write [grading.llm]"),
    ];
    for (text, place, words) in cases {
        let found = problems(text);
        assert!(found.len() == 1 && found[0].starts_with(place) && found[0].contains(words), "{text}: {found:?}");
        assert!(!found[0].contains("hunter2"), "{found:?}");
    }
    let blanks = read_with(LLM, &[("DRILLBOT_GRADING_LLM_API_KEY", "Bearer hunter2")]).unwrap_err();
    assert!(blanks[0].message.contains("without \"Bearer\"") && !blanks[0].message.contains("hunter2"), "{blanks:?}");
}
