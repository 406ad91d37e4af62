//! The commands in other languages, for platforms that show each member their own: names and descriptions, not the replies.

/// A command in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// As Discord writes it: `de`, `es-ES`, `fr`, `pt-BR`.
    pub locale: &'static str,
    /// The name in the table of commands.
    pub command: &'static str,
    /// Letters in lower case, 1 to 32.
    pub name: &'static str,
    /// 1 to 100 characters.
    pub description: &'static str,
}

const fn local(locale: &'static str, command: &'static str, name: &'static str, description: &'static str) -> Local {
    Local { locale, command, name, description }
}

const TABLE: &[Local] = &[
    local("de", "drill", "übung", "Ein Thema für dich allein üben, eine Frage nach der anderen"),
    local("de", "prep", "vorbereitung", "Rat für das Gespräch selbst: vorbereiten, antworten, woran es scheitert"),
    local("de", "leaderboard", "rangliste", "Der Stand in dieser Lerngruppe und dein eigener Platz"),
    local("de", "daily", "tagesfrage", "Die Tagesfrage dieses Kanals zeigen oder steuern"),
    local("de", "topics", "themen", "Alle Themen mit ihren Fragen"),
    local("de", "suggest", "vorschlagen", "Eine Frage vorschlagen; sehen, was aus deinen geworden ist"),
    local("de", "flag", "melden", "Sagen, dass eine Frage falsch, veraltet oder unklar ist"),
    local("de", "review", "prüfen", "Über Vorschläge und gemeldete Fragen entscheiden"),
    local("de", "me", "ich", "Meine Punkte, meine Serie und schwache Themen; meine Daten löschen"),
    local("de", "help", "hilfe", "Was ich kann"),
    local("es-ES", "drill", "práctica", "Practica un tema en privado, una pregunta tras otra"),
    local(
        "es-ES",
        "prep",
        "preparación",
        "Consejos para la entrevista: cómo prepararse, cómo responder, por qué se falla",
    ),
    local("es-ES", "leaderboard", "clasificación", "La clasificación de este grupo de estudio y tu propio puesto"),
    local("es-ES", "daily", "diaria", "Muestra o dirige la pregunta diaria de este canal"),
    local("es-ES", "topics", "temas", "Todos los temas con sus preguntas"),
    local("es-ES", "suggest", "sugerir", "Sugiere una pregunta; mira qué fue de las tuyas"),
    local("es-ES", "flag", "señalar", "Di que una pregunta es errónea, anticuada o poco clara"),
    local("es-ES", "review", "revisar", "Decide sobre lo sugerido y lo señalado"),
    local("es-ES", "me", "yo", "Mis puntos, mi racha y mis temas flojos; borrar mis datos"),
    local("es-ES", "help", "ayuda", "Lo que sé hacer"),
    local("fr", "drill", "entraînement", "S'entraîner en privé sur un sujet, une question à la fois"),
    local("fr", "prep", "préparation", "Conseils pour l'entretien : se préparer, répondre, ce qui fait échouer"),
    local("fr", "leaderboard", "classement", "Le classement de ce groupe d'étude et ta propre place"),
    local("fr", "daily", "quotidienne", "Afficher ou régler la question du jour de ce salon"),
    local("fr", "topics", "sujets", "Tous les sujets avec leurs questions"),
    local("fr", "suggest", "proposer", "Proposer une question ; voir ce que sont devenues les tiennes"),
    local("fr", "flag", "signaler", "Dire qu'une question est fausse, dépassée ou peu claire"),
    local("fr", "review", "relire", "Décider des questions proposées et signalées"),
    local("fr", "me", "moi", "Mes points, ma série et mes sujets faibles ; effacer mes données"),
    local("fr", "help", "aide", "Ce que je sais faire"),
    local("pt-BR", "drill", "treino", "Pratique um tema em particular, uma pergunta de cada vez"),
    local(
        "pt-BR",
        "prep",
        "preparação",
        "Conselhos para a entrevista: como se preparar, como responder, por que se falha",
    ),
    local("pt-BR", "leaderboard", "classificação", "A classificação deste grupo de estudo e o seu próprio lugar"),
    local("pt-BR", "daily", "diária", "Mostra ou controla a pergunta diária deste canal"),
    local("pt-BR", "topics", "temas", "Todos os temas com as suas perguntas"),
    local("pt-BR", "suggest", "sugerir", "Sugira uma pergunta; veja o que foi feito das suas"),
    local("pt-BR", "flag", "sinalizar", "Diga que uma pergunta está errada, desatualizada ou pouco clara"),
    local("pt-BR", "review", "revisar", "Decida sobre o que foi sugerido e sinalizado"),
    local("pt-BR", "me", "eu", "Meus pontos, minha sequência e meus temas fracos; apagar meus dados"),
    local("pt-BR", "help", "ajuda", "O que eu sei fazer"),
];

/// A command of the table in every language there is.
pub fn localized(command: &str) -> impl Iterator<Item = &'static Local> {
    TABLE.iter().filter(move |local| local.command == command)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::domain::command;

    #[test]
    fn every_command_is_there_once_in_every_language_and_fits() {
        let locales: HashSet<&str> = TABLE.iter().map(|local| local.locale).collect();
        assert_eq!(locales, HashSet::from(["de", "es-ES", "fr", "pt-BR"]));
        for spec in command::TABLE {
            let here: Vec<&str> = localized(spec.name).map(|local| local.locale).collect();
            assert_eq!(here.len(), locales.len(), "{}", spec.name);
            assert_eq!(here.iter().copied().collect::<HashSet<_>>(), locales, "{}", spec.name);
        }
        assert_eq!(TABLE.len(), command::TABLE.len() * locales.len(), "no command that is not there any more");
        let mut names = HashSet::new();
        for local in TABLE {
            let length = local.name.chars().count();
            assert!((1..=32).contains(&length), "{local:?}");
            assert!(local.name.chars().all(|c| c.is_alphabetic() && c.is_lowercase()), "{local:?}");
            assert!((1..=100).contains(&local.description.chars().count()), "{local:?}");
            assert!(names.insert((local.locale, local.name)), "{local:?}");
        }
    }
}
