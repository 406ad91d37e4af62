//! What the grader knows of English and of the trade's shorthand, beyond what authors write.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Carries meaning of its own.
    Content,
    /// Holds sentences together.
    Function,
    /// "not", "never", "cannot": denies what stands before and behind it in its clause.
    Not,
    /// "no", "without": denies what follows.
    No,
}

impl Class {
    pub(crate) fn denies(self) -> bool {
        matches!(self, Class::Not | Class::No)
    }
}

pub(crate) fn class(word: &str) -> Class {
    match word {
        "not" | "never" | "cannot" | "dont" | "doesnt" | "didnt" | "cant" | "isnt" | "arent" | "wasnt" | "wont"
        | "shouldnt" | "wouldnt" | "couldnt" | "hasnt" | "havent" | "hardly" => Class::Not,
        "no" | "without" | "nothing" | "nobody" | "none" | "neither" | "nor" => Class::No,
        "a" | "an" | "the" | "this" | "that" | "these" | "those" | "it" | "its" | "i" | "we" | "you" | "he" | "she"
        | "they" | "them" | "us" | "me" | "my" | "our" | "your" | "their" | "his" | "her" | "who" | "which"
        | "what" | "where" | "when" | "why" | "how" | "is" | "are" | "was" | "were" | "be" | "been" | "being"
        | "am" | "do" | "does" | "did" | "done" | "has" | "have" | "had" | "will" | "would" | "can" | "could"
        | "should" | "shall" | "may" | "might" | "must" | "of" | "in" | "on" | "at" | "to" | "from" | "by" | "with"
        | "for" | "as" | "into" | "onto" | "over" | "under" | "through" | "between" | "and" | "or" | "but" | "so"
        | "if" | "then" | "than" | "because" | "while" | "until" | "before" | "after" | "during" | "about" | "also"
        | "too" | "there" | "here" | "such" | "each" | "every" | "any" | "all" | "some" | "both" | "only" | "just"
        | "very" | "more" | "most" | "other" | "same" | "one" | "up" | "down" | "out" | "off" | "however"
        | "whereas" | "although" | "though" | "since" | "unless" | "yet" | "otherwise" | "let" | "lets" | "get"
        | "gets" | "like" => Class::Function,
        _ => Class::Content,
    }
}

/// Words that a term of several words need not keep: "point of failure" is "point failure".
pub(super) fn is_link(word: &str) -> bool {
    matches!(
        word,
        "a" | "an" | "the" | "of" | "and" | "or" | "to" | "in" | "on" | "for" | "with" | "by" | "at" | "is" | "as"
    )
}

pub(super) fn is_article(word: &str) -> bool {
    matches!(word, "a" | "an" | "the")
}

/// What takes an object, and so never ends a clause before a verb.
pub(super) fn is_preposition(word: &str) -> bool {
    matches!(word, "of" | "into" | "from" | "with" | "by" | "for" | "at" | "onto" | "between" | "during")
}

/// What cannot follow an article, nor most prepositions.
pub(super) fn cannot_follow_article(word: &str) -> bool {
    is_article(word)
        || is_auxiliary(word)
        || matches!(
            word,
            "of" | "in"
                | "on"
                | "at"
                | "to"
                | "from"
                | "by"
                | "with"
                | "for"
                | "as"
                | "into"
                | "onto"
                | "and"
                | "or"
                | "but"
                | "so"
                | "if"
                | "than"
                | "because"
                | "while"
                | "until"
                | "i"
                | "we"
                | "you"
                | "he"
                | "she"
                | "they"
                | "it"
                | "this"
                | "that"
                | "these"
                | "those"
                | "its"
                | "my"
                | "our"
                | "your"
                | "their"
                | "which"
                | "who"
                | "what"
                | "how"
                | "then"
                | "not"
        )
}

pub(super) fn is_conjunction(word: &str) -> bool {
    matches!(word, "and" | "or" | "but" | "so" | "if" | "because" | "while" | "until" | "than" | "then")
}

pub(super) fn is_auxiliary(word: &str) -> bool {
    matches!(
        word,
        "is" | "are"
            | "was"
            | "were"
            | "be"
            | "been"
            | "am"
            | "do"
            | "does"
            | "did"
            | "has"
            | "have"
            | "had"
            | "will"
            | "would"
            | "can"
            | "could"
            | "should"
            | "shall"
            | "may"
            | "might"
            | "must"
            | "need"
            | "needs"
    )
}

/// How a word is read: spelled out, in one spelling, in its basic form where the stemmer would not find it.
pub(crate) fn read_as(word: &str) -> Option<&'static [&'static str]> {
    static TABLE: OnceLock<HashMap<&'static str, Vec<&'static str>>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let mut table = HashMap::new();
        for line in SHORTHAND.lines().chain(FORMS.lines()) {
            let Some((words, meaning)) = line.split_once('=') else { continue };
            for word in words.split_whitespace() {
                table.insert(word, meaning.split_whitespace().collect());
            }
        }
        table
    });
    table.get(word).map(Vec::as_slice)
}

/// An everyday word: weak evidence of anything, and no misspelling of a technical term.
pub(crate) fn is_common(word: &str) -> bool {
    static TABLE: OnceLock<HashSet<&'static str>> = OnceLock::new();
    TABLE.get_or_init(|| COMMON.split_whitespace().collect()).contains(word)
}

/// Whether initials may stand for these words. Most initials of the trade stand for one thing: "CD" is no customer data.
pub(crate) fn may_stand_for(initials: &str, words: &[&str]) -> bool {
    static TABLE: OnceLock<HashMap<&'static str, Vec<Vec<&'static str>>>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let mut table: HashMap<_, Vec<_>> = HashMap::new();
        for (known, meaning) in INITIALS.lines().filter_map(|line| line.split_once(" = ")) {
            table.entry(known).or_default().push(meaning.split_whitespace().collect());
        }
        table
    });
    let same = |meaning: &Vec<&str>| {
        meaning.len() == words.len() && meaning.iter().zip(words).all(|(known, word)| word.starts_with(known))
    };
    table.get(initials).is_none_or(|meanings| meanings.iter().any(same))
}

/// Initials that everybody of the trade reads in one way, each with the beginnings of the words that they stand for.
const INITIALS: &str = "\
ac = air cond
ai = artificial intell
api = application programming interface
aws = amazon web serv
cd = continuous deliver
cd = continuous deploy
ci = continuous integrat
cli = command line
cve = common vulnerabilit expos
dns = domain name s
ec = elastic comput
ecr = elastic container regist
ecs = elastic container serv
eks = elastic kubernetes serv
etl = extract transform load
gcp = google cloud platform
gdpr = general data protection
gpu = graphics process
iac = infrastructure code
id = identity
iam = identity access manage
ip = internet protocol
it = information technolog
kms = key management s
llm = large language model
ml = machine learn
mr = merge request
nat = network address translat
os = operating system
pii = personally identifi
pm = product manage
pm = project manage
pr = pull request
qa = quality assur
rbac = role based access
rds = relational database serv
rpo = recovery point objective
rto = recovery time objective
sca = software composition analys
sla = service level agree
sli = service level indicat
slo = service level objective
sns = simple notification serv
sql = structured query lang
sqs = simple queue serv
sre = site reliab engineer
ssh = secure shell
sso = single sign on
tls = transport layer secur
ui = user interface
url = uniform resource loc
vpc = virtual private cloud
vpn = virtual private network
waf = web application firewall
";

/// Shorthand of the trade. What is ambiguous ("sm", "ps", "min") stays out: a rubric finds the initials of its own terms by itself.
const SHORTHAND: &str = "\
k8s kube = kubernetes
sg sgs = security group
nacl nacls = network acl
ddb dynamo = dynamodb
az azs = availability zone
env envs = environment
config configs conf cfg = configuration
repo repos = repository
acct accts acc = account
cred creds = credential
prod = production
perm perms = permission
igw = internet gateway
natgw = nat gateway
gw gws = gateway
db dbs = database
lb lbs = load balancer
elb elbs = load balancer
alb albs = application load balancer
nlb nlbs = network load balancer
asg asgs = auto scaling group
autoscaling = auto scaling
cw = cloudwatch
cfn = cloudformation
tf = terraform
org orgs = organization
ou ous = organizational unit
scp scps = service control policy
mem = memory
cpu cpus vcpus = vcpu
authn = authentication
authz = authorization
infra = infrastructure
ops = operation
spof spofs = single point failure
dlq dlqs = dead letter queue
bpa = block public access
cmk cmks = customer managed key
mfa = multiple factor
vm vms = virtual machine
ha = highly available
rt rts = route table
hc hcs = health check
hpa = horizontal pod autoscaler
pdb pdbs = pod disruption budget
pvc pvcs = persistent volume claim
svc svcs = service
ns = namespace
vpce vpces = vpc endpoint
tgw = transit gateway
r53 = route 53
apigw = api gateway
gha = github action
cicd = ci cd
mttr = mean time recovery
dr = disaster recovery
param params = parameter
dep deps = dependency
app apps = application
msg msgs = message
req reqs = request
resp = response
conn conns = connection
max = maximum
temp tmp = temporary
diff = difference
rollback rollbacks = roll back
rollout rollouts = roll out
failover = fail over
cutover = cut over
startup = start up
lifecycle = life cycle
timeout timeouts = time out
hostname hostnames = host name
multi = multiple
several many = multiple
every per = each
2 = two
3 = three
1 = one
4 = four
pct = percent
percentage = percent
pg postgres = postgresql
lockfile = lock file
";

/// Forms that the stemmer does not bring together.
const FORMS: &str = "\
lost loses losing = lose
kept = keep
sent = send
built = build
broke broken = break
went gone = go
written wrote = write
chose chosen = choose
gave given = give
took taken = take
thrown threw = throw
caught = catch
held = hold
grew grown = grow
fell fallen = fall
ran = run
began begun = begin
found = find
made = make
paid = pay
bought = buy
spent = spend
told = tell
shown = show
known knew = know
seen saw = see
brought = bring
hidden hid = hide
stolen stole = steal
frozen froze = freeze
woken woke = wake
died dead dies dying = die
cheaper cheapest = cheap
simpler simplest = simple
easier easiest = easy
faster fastest = fast
quicker quickest quickly = quick
slower slowest slowly = slow
smaller smallest = small
larger largest = large
bigger biggest = big
lower lowest = low
higher highest = high
tighter tightest = tight
shorter shortest = short
longer longest = long
older oldest = old
newer newest = new
safer safest = safe
stricter strictest strictly = strict
harder hardest = hard
heavier heaviest = heavy
stronger strongest = strong
weaker weakest = weak
closer closest = close
nearer nearest = near
wider widest = wide
narrower narrowest = narrow
fewer = few
earlier earliest = early
later latest = late
dearer costly pricey pricier = expensive
organisation organisations organization organizations = organization
behaviour behaviours = behavior
colour colours = color
centre centres centralised centralized = center
licence = license
artefact artefacts = artifact
catalogue = catalog
programme = program
fulfil = fulfill
grey = gray
analyse analysed analysing = analyze
";

/// The words people use most, and the everyday verbs and nouns of any explanation.
const COMMON: &str = "\
able above accept access across act action actually add again against ago allow almost alone along already always amount another answer
anybody anyone anything apart apply area around ask away back bad base basic because become begin behind believe belong below best better
big bit body both break bring build business buy call care case cause central certain chance change cheap check choose clear clearly close
code come common company compare complete concept connect consider contain continue control copy correct cost could count couple course
create current customer cut day deal decide deep define depend describe detail develop difference different difficult direct do door double
down drive drop early easily easy effect either else empty end enough ensure entire equal especially even event ever everybody everyone
everything exact exactly example except exist expect expensive explain extra face fact fail fall far fast feel few field fill final finally
find fine finish first fit fix follow force form forward free full further general give global go good great group grow guess half hand
handle happen hard have head health hear heavy help here high hold hope hour house however huge idea important impossible improve include
increase inside instead internal involve issue item job join keep key kind know known large last late later lay lead learn leave left less
let level life limit line list little live local log long look lose loss lot low main make manage many mark matter mean measure meet member
mention method middle might mind minute miss mistake moment money month morning move much name near necessary need never new next nice night
normal normally note nothing notice number offer often old once open operate option order original others outside over own page paper part
particular pass past pay people perhaps person pick piece place plan play point possible practice prefer prepare present press pretty
prevent previous price private probably problem process product production project proper properly protect prove provide public pull
purpose push put question quick quickly quite reach read ready real really reason receive recent reduce reference regular relate release
rely remain remember remove repeat replace report request require rest result return review right risk role round rule run safe safely save
say second security see seem sell send sense separate serious serve service set setting several share short should show side similar simple
simply single situation size slow small solution solve somebody someone something sometimes soon sort source space speak special specific
spend stand standard start state statement stay step still stop store story strong study stuff such sudden suggest support suppose sure
system table take talk target task team tell term test thank thing think third though thought through throw time tiny today together
tomorrow tool top total touch toward track traffic train treat trust try turn twice type under understand unit until update upon use user
useful usual usually value variety various view visit wait walk want watch way week well while whole wide within wonder word work world
worry worse worst would write wrong year yesterday yet young
";
