//! Cron texts and weekdays as people write them.

use super::super::cron::{Cron, Numbers, parse_days};
use super::*;

#[test]
fn cron_is_read_as_everywhere_else() {
    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        let cron = Cron::parse(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
        assert_eq!(cron.expressions(Numbers::WEEK), expect, "{text}");
    }
    // Five fields and six.
    check("0 9 * * *", &["0 0 9 * * *"]);
    check("  30\t9  * * * ", &["0 30 9 * * *"]);
    check("*/10 * * * * *", &["0,10,20,30,40,50 * * * * *"]);
    check("09 007 * * *", &["0 9 7 * * *"]);
    // Weekdays by number: 0 and 7 are Sunday.
    check("0 9 * * 0", &["0 0 9 * * sun"]);
    check("0 9 * * 1", &["0 0 9 * * mon"]);
    check("0 9 * * 7", &["0 0 9 * * sun"]);
    check("0 9 * * 1-5", &["0 0 9 * * mon,tue,wed,thu,fri"]);
    check("0 9 * * 5-7", &["0 0 9 * * sun,fri,sat"]);
    check("0 9 * * 0-7", &["0 0 9 * * *"]);
    check("0 9 * * 1-7", &["0 0 9 * * *"]);
    check("0 9 * * 7-1", &["0 0 9 * * sun,mon"]);
    check("0 9 * * 6-1", &["0 0 9 * * sun,mon,sat"]);
    check("0 9 * * 1,3,5", &["0 0 9 * * mon,wed,fri"]);
    check("0 9 * * 7,0", &["0 0 9 * * sun"]);
    check("0 9 * * */2", &["0 0 9 * * sun,tue,thu,sat"]);
    check("0 9 * * 1-5/2", &["0 0 9 * * mon,wed,fri"]);
    check("0 9 * * 1-7/2", &["0 0 9 * * sun,mon,wed,fri"]);
    check("0 9 * * 2/2", &["0 0 9 * * tue,thu,sat"]);
    check("0 9 * * 7/2", &["0 0 9 * * sun"]);
    // Weekdays by name.
    check("0 9 * * mon-fri", &["0 0 9 * * mon,tue,wed,thu,fri"]);
    check("0 9 * * MON", &["0 0 9 * * mon"]);
    check("0 9 * * Monday,Wednesday", &["0 0 9 * * mon,wed"]);
    check("0 9 * * tues-thurs", &["0 0 9 * * tue,wed,thu"]);
    check("0 9 * * fri-mon", &["0 0 9 * * sun,mon,fri,sat"]);
    check("0 9 * * fri-sun", &["0 0 9 * * sun,fri,sat"]);
    check("0 9 * * sun-sat", &["0 0 9 * * *"]);
    check("0 9 * * sat-wed/2", &["0 0 9 * * mon,wed,sat"]);
    check("0 9 * * mon, wed , fri", &["0 0 9 * * mon,wed,fri"]);
    // Months.
    check("0 9 1 jan,JUL *", &["0 0 9 1 1,7 *"]);
    check("0 9 1 September-dec *", &["0 0 9 1 9,10,11,12 *"]);
    check("0 9 1 */3 *", &["0 0 9 1 1,4,7,10 *"]);
    check("0 9 1 1-12 *", &["0 0 9 1 * *"]);
    // Lists, ranges and steps.
    check("0,30 9-11 * * *", &["0 0,30 9,10,11 * * *"]);
    check("5/20 9 * * *", &["0 5,25,45 9 * * *"]);
    check("0-20/10,45 9 * * *", &["0 0,10,20,45 9 * * *"]);
    check("*/45 * * * *", &["0 0,45 * * * *"]);
    check("*,5 9 * * *", &["0 * 9 * * *"]);
    // A question mark is a star.
    check("0 9 ? * mon", &["0 0 9 * * mon"]);
    check("0 9 15 * ?", &["0 0 9 15 * *"]);
    check("0 9 ?/10 * ?", &["0 0 9 1,11,21,31 * *"]);
    // Either day where neither field starts with a star, else both.
    check("0 9 13 * fri", &["0 0 9 13 * *", "0 0 9 * * fri"]);
    check("0 9 1-7 * mon", &["0 0 9 1,2,3,4,5,6,7 * *", "0 0 9 * * mon"]);
    check("0 9 */10 * mon", &["0 0 9 1,11,21,31 * mon"]);
    check("0 9 13 * */2", &["0 0 9 13 * sun,tue,thu,sat"]);
    // Shorthands.
    check("@hourly", &["0 0 * * * *"]);
    check("@daily", &["0 0 0 * * *"]);
    check("@Weekly", &["0 0 0 * * sun"]);
    check(" @monthly ", &["0 0 0 1 * *"]);
}

#[test]
fn a_wrong_cron_names_the_field_and_what_to_write() {
    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        assert_eq!(Cron::parse(text).unwrap_err(), expect, "{text}");
    }
    let minute = "as a minute: write 0 to 59, for example \"0,30\"";
    let hour = "as an hour: write 0 to 23, for example \"9-17\"";
    let weekday = "as a weekday: write mon to sun, or 0 to 7 where 0 and 7 are Sunday, for example \"mon-fri\"";
    let shape = "write five fields (minute, hour, day of the month, month, weekday), for example \"0 9 * * mon-fri\" for \
                 09:00 from Monday to Friday";
    check("60 9 * * *", &[&format!("cannot read \"60\" {minute}")]);
    check("0 24 * * *", &[&format!("cannot read \"24\" {hour}")]);
    check("0 9,x * * *", &[&format!("cannot read \"x\" {hour}")]);
    check("0 9 * * 8", &[&format!("cannot read \"8\" {weekday}")]);
    check("0 9 * * mo", &[&format!("cannot read \"mo\" {weekday}")]);
    check("0 9 * * mon#2", &[&format!("cannot read \"mon#2\" {weekday}")]);
    check("0 9 * * mondayish", &[&format!("cannot read \"mondayish\" {weekday}")]);
    check("0 +9 * * *", &[&format!("cannot read \"+9\" {hour}")]);
    check("0 -9 * * *", &[&format!("cannot read \"-9\" {hour}")]);
    check("0 ٩ * * *", &[&format!("cannot read \"٩\" {hour}")]);
    check("0 99999999999999999999 * * *", &[&format!("cannot read \"99999999999999999999\" {hour}")]);
    check("0 9, * * *", &[&format!("\"0 9, * * *\" has 4 fields: {shape}")]);
    check("0 9,, * * *", &[&format!("\"0 9,, * * *\" has 4 fields: {shape}")]);
    check("0 9,,10 * * *", &[&format!("cannot read \"\" {hour}")]);
    check("0 9 0 * *", &["cannot read \"0\" as a day of the month: write 1 to 31, for example \"1,15\""]);
    check("0 9 L * *", &["cannot read \"L\" as a day of the month: write 1 to 31, for example \"1,15\""]);
    check("0 9 1 13 *", &["cannot read \"13\" as a month: write 1 to 12 or jan to dec, for example \"jan-jun\""]);
    check("0 22-2 * * *", &["\"22-2\" in the hour goes backwards: write \"22-23,0-2\""]);
    check("0 9 1 nov-feb *", &["\"nov-feb\" in the month goes backwards: write \"11-12,1-2\""]);
    check("*/0 * * * *", &["the step of \"*/0\" in the minute can be 1 to 59: write for example \"*/2\""]);
    check("*/60 * * * *", &["the step of \"*/60\" in the minute can be 1 to 59: write for example \"*/2\""]);
    check("*/90 * * * *", &["the step of \"*/90\" in the minute can be 1 to 59: write for example \"*/2\""]);
    check("0 */x * * *", &["the step of \"*/x\" in the hour can be 1 to 23: write for example \"*/2\""]);
    check("61 25 * * *", &[&format!("cannot read \"61\" {minute}"), &format!("cannot read \"25\" {hour}")]);
    check("", &[&format!("there is no cron text: {shape}")]);
    check("9", &[&format!("\"9\" has only one field: {shape}")]);
    check(
        "0 0 9 * * * 2027",
        &[&format!("\"0 0 9 * * * 2027\" has seven fields, and years are not supported: {shape}")],
    );
    for text in ["@reboot", "@yearly"] {
        check(
            text,
            &[&format!(
                "\"{text}\" is not known: of this kind there are @hourly, @daily, @weekly and @monthly; for a time of day \
                 write \"0 9 * * mon-fri\""
            )],
        );
    }
}

#[test]
fn days_are_named_in_many_ways() {
    #[track_caller]
    fn check(days: &[&str], expect: &str) {
        assert_eq!(from_time("9:00", &texts(days)), Ok(format!("0 9 * * {expect}")), "{days:?}");
    }
    check(&[], "*");
    check(&["mon-fri"], "mon-fri");
    check(&["mon", "tuesday"], "mon,tue");
    check(&["fri", "mon", "Wed"], "mon,wed,fri");
    check(&["mon,wed fri"], "mon,wed,fri");
    check(&["mon – wed"], "mon-wed");
    check(&["sat-mon"], "mon,sat,sun");
    check(&["thu-mon"], "mon,thu-sun");
    check(&["weekdays"], "mon-fri");
    check(&["weekend"], "sat,sun");
    check(&["1-5", "sun"], "mon-fri,sun");
    check(&["mon-sun"], "*");
    assert_eq!(
        parse_days(&texts(&["mon", "someday", "noday"])).unwrap_err().len(),
        2,
        "both wrong days are reported, the right one is not"
    );
    assert_eq!(
        parse_days(&texts(&["", ","])).unwrap_err(),
        ["no day is named: write for example \"mon-fri\", or leave the days out for every day"]
    );
}

#[test]
fn a_time_becomes_cron_and_comes_at_that_time() {
    assert_eq!(from_time("09:00", &texts(&["mon-fri"])).as_deref(), Ok("0 9 * * mon-fri"));
    assert_eq!(from_time(" 23:59 ", &[]).as_deref(), Ok("59 23 * * *"));
    let wrong = |time: &str, days: &[&str]| from_time(time, &texts(days)).map_err(|problem| problem.field);
    for time in ["", "9", "9am", "24:00", "12:60", "9:0", "-1:00", "+9:00", "12:00:00", "009:00", "1२:00", "noon"] {
        assert_eq!(wrong(time, &[]), Err("time"), "{time}");
    }
    assert_eq!(wrong("09:00", &["someday"]), Err("days"));
    assert_eq!(
        from_time("9am", &[]).unwrap_err().message,
        "cannot read \"9am\" as a time of day: write one from 00:00 to 23:59, such as \"09:00\" or \"17:30\""
    );
}
