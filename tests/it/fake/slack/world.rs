//! What changes around the app: workspaces, people, channels and the installation.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::{Value, json};

use super::model::{Channel, Code, Id, Installed, Kind, Model, Spot, User, View, now_s};
use super::wire;
use super::{Fake, manifest};

impl Model {
    /// Somebody comes into a channel.
    pub fn join(&mut self, channel: Id, user: Id) {
        let Some(it) = self.channels.get_mut(&channel) else { return };
        if !it.members.insert(user) {
            return;
        }
        let kind = if it.kind == Kind::Private { "G" } else { "C" };
        let event = json!({
            "type": "member_joined_channel", "user": user.to_string(), "channel": channel.to_string(),
            "channel_type": kind, "team": it.team.to_string(),
        });
        self.tell_in(channel, "member_joined_channel", event);
    }

    /// Somebody goes. Of its own going the bot hears by another event.
    pub fn leave(&mut self, channel: Id, user: Id) {
        let Some(it) = self.channels.get_mut(&channel) else { return };
        it.members.remove(&user);
        let (team, kind) = (it.team, it.kind);
        let own = self.users.get(&user).map_or(team, |user| user.team);
        if self.bot(own) == Some(user) {
            let name = if kind == Kind::Private { "group_left" } else { "channel_left" };
            let event = json!({"type": name, "channel": channel.to_string(), "actor_id": null});
            return self.tell(own, name, event, false);
        }
        let event = json!({
            "type": "member_left_channel", "user": user.to_string(), "channel": channel.to_string(),
            "channel_type": if kind == Kind::Private { "G" } else { "C" }, "team": team.to_string(),
        });
        self.tell_in(channel, "member_left_channel", event);
    }

    /// The bot's token is no longer good.
    pub fn revoke(&mut self, team: Id) {
        let Some(install) = self.teams.get_mut(&team).and_then(|it| it.install.as_mut()) else { return };
        install.state = Installed::Revoked;
        let bot = install.bot.to_string();
        self.tell(
            team,
            "tokens_revoked",
            json!({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [bot]}}),
            false,
        );
    }

    /// The Home that somebody sees.
    pub fn home(&self, team: Id, user: Id) -> Option<&View> {
        self.views.values().find(|view| view.home && view.user == user && view.team == team)
    }

    /// What an installation gives the app to get its token with.
    pub fn code(&mut self, team: Id, user: Id, redirect: Option<&str>) -> String {
        let name = self.unique();
        let redirect = redirect.map(str::to_owned);
        self.codes.insert(name.clone(), Code { team, user, redirect, used: false, made: Instant::now() });
        name
    }

    /// Tells of a change of a channel; private ones have events of their own.
    fn tell_of_channel(&mut self, channel: Id, what: &str, more: Value) {
        let Some(it) = self.channels.get(&channel) else { return };
        let name = format!("{}_{what}", if it.kind == Kind::Private { "group" } else { "channel" });
        let mut event = json!({"type": name, "channel": channel.to_string()});
        wire::merge(&mut event, more);
        self.tell_in(channel, &name, event);
    }
}

/// Workspaces and people.
impl Fake {
    /// A workspace with the app, and with its owner Olga.
    pub fn workspace(&self, name: &str) -> Id {
        let team = self.workspace_without_app(name);
        self.with(|model| model.install(team));
        team
    }

    pub fn workspace_without_app(&self, name: &str) -> Id {
        self.with(|model| {
            let team = model.team(name);
            let owner = model.user(team, "Olga");
            if let Some(user) = model.users.get_mut(&owner) {
                user.owner = true;
                user.admin = true;
            }
            team
        })
    }

    pub fn owner(&self, team: Id) -> Id {
        self.with(|model| {
            let owner = model.users.values().find(|user| user.team == team && user.owner);
            owner.expect("every workspace has one").id
        })
    }

    /// The token of the app in a workspace.
    pub fn token(&self, team: Id) -> String {
        self.with(|model| model.install_of(team).expect("the app is installed").token.clone())
    }

    pub fn bot(&self, team: Id) -> Id {
        self.with(|model| model.bot(team).expect("the app is installed"))
    }

    /// Somebody new, who is in every channel of the workspace.
    pub fn member(&self, team: Id, name: &str) -> Id {
        self.with(|model| {
            let user = model.user(team, name);
            let all = model.channels.values_mut();
            all.filter(|it| it.team == team && it.kind != Kind::Direct).for_each(|it| {
                it.members.insert(user);
            });
            user
        })
    }

    /// As [`Fake::member`]; nobody is told, since it was never otherwise.
    pub fn admin(&self, team: Id, name: &str) -> Id {
        let user = self.member(team, name);
        self.with(|model| model.users.get_mut(&user).expect("the user just made").admin = true);
        user
    }

    /// A guest: in one channel and nowhere else.
    pub fn guest(&self, channel: Id, name: &str) -> Id {
        self.with(|model| {
            let team = model.channels[&channel].team;
            let user = model.user(team, name);
            model.users.get_mut(&user).expect("the user just made").guest = true;
            model.join(channel, user);
            user
        })
    }

    fn change_user(&self, user: Id, by: impl FnOnce(&mut User)) {
        self.with(|model| {
            let it = model.users.get_mut(&user).expect("a user");
            by(it);
            let (team, shown) = (it.team, wire::user(it));
            let event = json!({"type": "user_change", "user": shown, "cache_ts": now_s()});
            model.tell(team, "user_change", event, false);
        });
    }

    /// Somebody chooses another display name.
    pub fn rename(&self, user: Id, name: &str) {
        self.change_user(user, |user| user.display_name = name.to_owned());
    }

    pub fn set_admin(&self, user: Id, admin: bool) {
        self.change_user(user, |user| user.admin = admin);
    }

    pub fn set_zone(&self, user: Id, zone: &str) {
        self.change_user(user, |user| user.zone = zone.to_owned());
    }

    /// Somebody's account ends.
    pub fn deactivate(&self, user: Id) {
        self.change_user(user, |user| user.deactivated = true);
        self.with(|model| {
            model.channels.values_mut().for_each(|it| {
                it.members.remove(&user);
            })
        });
    }
}

/// Channels.
impl Fake {
    /// With everybody of the workspace and the bot.
    pub fn public_channel(&self, team: Id, name: &str) -> Id {
        self.channel_of(team, Kind::Public, name)
    }

    pub fn private_channel(&self, team: Id, name: &str) -> Id {
        self.channel_of(team, Kind::Private, name)
    }

    fn channel_of(&self, team: Id, kind: Kind, name: &str) -> Id {
        self.with(|model| {
            let id = model.channel(team, kind, name);
            let everybody = model.users.values().filter(|user| user.team == team && !user.guest && !user.deactivated);
            let members = everybody.map(|user| user.id).collect();
            model.channels.get_mut(&id).expect("the channel just made").members = members;
            id
        })
    }

    fn change_channel(&self, channel: Id, by: impl FnOnce(&mut Channel)) {
        self.with(|model| by(model.channels.get_mut(&channel).expect("a channel")));
    }

    pub fn join(&self, channel: Id, user: Id) {
        self.with(|model| model.join(channel, user));
    }

    pub fn leave(&self, channel: Id, user: Id) {
        self.with(|model| model.leave(channel, user));
    }

    /// The bot comes into a channel.
    pub fn invite(&self, channel: Id) {
        let bot = self.with(|model| model.bot(model.channels[&channel].team)).expect("the app is installed");
        self.join(channel, bot);
    }

    /// The bot is removed from a channel.
    pub fn kick(&self, channel: Id) {
        let bot = self.with(|model| model.bot(model.channels[&channel].team)).expect("the app is installed");
        self.leave(channel, bot);
    }

    pub fn rename_channel(&self, channel: Id, name: &str) {
        self.change_channel(channel, |it| it.name = name.to_owned());
        self.with(|model| {
            let created = model.channels[&channel].created_s;
            let shown = json!({
                "id": channel.to_string(), "name": name, "name_normalized": name, "created": created,
                "is_channel": model.channels[&channel].kind == Kind::Public, "is_mpim": false,
            });
            model.tell_of_channel(channel, "rename", json!({"channel": shown}));
        });
    }

    pub fn archive(&self, channel: Id) {
        self.change_channel(channel, |it| it.archived = true);
        self.with(|model| {
            let by = model.channels[&channel].members.first().map(Id::to_string);
            model.tell_of_channel(channel, "archive", json!({"user": by}));
        });
    }

    pub fn unarchive(&self, channel: Id) {
        self.change_channel(channel, |it| it.archived = false);
        self.with(|model| {
            let by = model.channels[&channel].members.first().map(Id::to_string);
            model.tell_of_channel(channel, "unarchive", json!({"user": by}));
        });
    }

    pub fn delete_channel(&self, channel: Id) {
        self.change_channel(channel, |it| it.deleted = true);
        self.with(|model| {
            model.messages.retain(|spot, _| spot.channel != channel);
            model.tell_of_channel(channel, "deleted", json!({"actor_id": null}));
        });
    }

    /// The bot may not post in a channel, for a reason; or may again. Slack tells nobody.
    pub fn restrict(&self, channel: Id, code: Option<&'static str>) {
        self.change_channel(channel, |it| it.refuses = code);
    }

    /// An administrator locks the thread of a message.
    pub fn lock(&self, message: Spot) {
        self.with(|model| model.messages.get_mut(&message).expect("a message").locked = true);
    }

    /// Another workspace takes part in a channel (Slack Connect), with all its people.
    pub fn share(&self, channel: Id, with: Id) {
        self.with(|model| {
            let guests: Vec<Id> =
                model.users.values().filter(|user| user.team == with && !user.bot).map(|user| user.id).collect();
            let it = model.channels.get_mut(&channel).expect("a channel");
            it.shared_with.insert(with);
            it.members.extend(guests);
            model.tell_of_channel(channel, "shared", json!({"connected_team_id": with.to_string()}));
        });
    }
}

/// The installation.
impl Fake {
    /// The app is removed from a workspace; it is told so, and its token is dead.
    pub fn uninstall(&self, team: Id) {
        self.with(|model| {
            if let Some(install) = model.teams.get_mut(&team).and_then(|it| it.install.as_mut()) {
                install.state = Installed::Gone;
            }
            let bot = model.bot(team).map(|bot| bot.to_string());
            let revoked = json!({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [bot]}});
            model.tell(team, "tokens_revoked", revoked, false);
            model.tell(team, "app_uninstalled", json!({"type": "app_uninstalled"}), false);
            if let Some(bot) = model.bot(team) {
                model.channels.values_mut().for_each(|it| {
                    it.members.remove(&bot);
                });
            }
        });
    }

    /// The token is revoked, the app stays.
    pub fn revoke(&self, team: Id) {
        self.with(|model| model.revoke(team));
    }

    /// What the app gets for somebody's consent, for `oauth.v2.access`.
    pub fn authorize(&self, team: Id, user: Id, redirect: Option<&str>) -> String {
        self.with(|model| model.code(team, user, redirect))
    }

    /// Takes a scope away from an installation.
    pub fn take_scope(&self, team: Id, scope: &str) {
        self.with(|model| {
            let install = model.teams.get_mut(&team).and_then(|it| it.install.as_mut());
            install.expect("the app is installed").scopes.remove(scope);
        });
    }

    /// Makes the app what a manifest says, as Slack does when one is pasted; for installations from now on.
    pub fn take_manifest(&self, manifest: &Value) {
        let texts = |list: &Value| -> BTreeSet<String> {
            list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let of = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
        let (features, settings) = (&manifest["features"], &manifest["settings"]);
        let commands = features["slash_commands"].as_array().cloned().unwrap_or_default();
        self.with(|model| {
            model.violations.extend(manifest::problems(manifest));
            let app = &mut model.app;
            app.scopes = texts(&manifest["oauth_config"]["scopes"]["bot"]);
            app.subscribed = texts(&settings["event_subscriptions"]["bot_events"]);
            app.commands = commands.iter().map(|one| of(one, "command")).collect();
            let shortcuts = features["shortcuts"].as_array().into_iter().flatten();
            app.shortcuts = shortcuts.map(|one| (of(one, "name"), of(one, "callback_id"))).collect();
            let address = |one: &Value, key: &str| one[key].as_str().map(str::to_owned);
            app.events_url = address(&settings["event_subscriptions"], "request_url");
            app.interactions_url = address(&settings["interactivity"], "request_url");
            app.commands_url = commands.first().and_then(|one| address(one, "url"));
        });
    }

    /// Says what the manifest declares: slash commands, message shortcuts (name, callback id) and events.
    pub fn declare(&self, commands: &[&str], shortcuts: &[(&str, &str)], events: &[&str]) {
        let own = |text: &&str| (*text).to_owned();
        self.with(|model| {
            model.app.commands = commands.iter().map(own).collect();
            model.app.shortcuts = shortcuts.iter().map(|(name, id)| (own(name), own(id))).collect();
            model.app.subscribed = events.iter().map(own).collect();
        });
    }
}
