//! Interface texts in Russian and English (`rules/texts.csv`), and the grammar of numbers.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::finding::{Lang, Severity, Text, fill, slots_of};
use crate::nsi::Date;
use crate::registry::month::Month;
use crate::tables::{RuleFiles, TableError};

const TABLE: &str = "texts.csv";
/// Keys under this head are the help of the command line, looked up by command and argument.
const HELP: &str = "help.";

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident = $word:literal),* $(,)?) => {
        /// A text of the interface.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key { $($(#[$doc])* $name),* }

        impl Key {
            /// Every key.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word in the table.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }
        }
    };
}

keys! {
    /// Twelve names, separated by `|`.
    Months = "months",
    /// Between groups of three digits.
    Thousands = "number.thousands",
    /// Before the kopecks.
    Point = "number.point",
    /// Forms for 1, 2 and 5 in Russian, for 1 and 2 in English.
    CountPackage = "count.package",
    /// Forms.
    CountFile = "count.file",
    /// Forms.
    CountCase = "count.case",
    /// Forms.
    CountError = "count.error",
    /// Forms.
    CountWarning = "count.warning",
    /// Forms.
    CountInfo = "count.info",
    /// Forms after «by».
    CountRule = "count.rule",
    /// Forms with the predicate.
    CountRuleIdle = "count.rule-idle",
    /// Rules that were executed in part.
    CountRulePartly = "count.rule-partly",
    /// One error.
    SeverityError = "severity.error",
    /// One warning.
    SeverityWarning = "severity.warning",
    /// One note.
    SeverityInfo = "severity.info",
    /// The payer is an insurer.
    PackageSmo = "package.smo",
    /// The payer is somebody else.
    PackagePayer = "package.payer",
    /// Nothing found in the package.
    PackageClean = "package.clean",
    /// The package was rejected.
    PackageRejected = "package.rejected",
    /// How often a rule struck.
    GroupTimes = "group.times",
    /// An element at which a rule struck, and how often.
    GroupElement = "group.element",
    /// All further elements of a rule that struck too many.
    GroupOther = "group.other",
    /// Elements not shown.
    GroupMore = "group.more",
    /// Line and column.
    PlaceLine = "place.line",
    /// Places not shown.
    PlaceMore = "place.more",
    /// What to do.
    Advice = "advice",
    /// Windows are drawn for some places only.
    WindowsFirst = "windows.first",
    /// The input cannot be read a second time.
    WindowsNone = "windows.none",
    /// The last line.
    TotalFound = "total.found",
    /// Findings and rules.
    TotalByRules = "total.by-rules",
    /// Nothing found at all.
    TotalClean = "total.clean",
    /// Rejected packages.
    TotalRejected = "total.rejected",
    /// A suppression has ended.
    ControlExpired = "control.expired",
    /// What was not shown.
    HiddenTotal = "hidden.total",
    /// By the baseline.
    HiddenBaseline = "hidden.baseline",
    /// By suppressions.
    HiddenSuppressed = "hidden.suppressed",
    /// By selection.
    HiddenOff = "hidden.off",
    /// No longer there.
    HiddenGone = "hidden.gone",
    /// No rule begins so.
    ConfigUnknownId = "config.unknown-id",
    /// A suppression without a reason.
    ConfigNoReason = "config.no-reason",
    /// No date.
    ConfigBadDate = "config.bad-date",
    /// A damaged baseline.
    ConfigBadBaseline = "config.bad-baseline",
    /// No such overlay.
    ConfigNoRegion = "config.no-region",
    /// Where a value comes from.
    ConfigBuiltIn = "config.built-in",
    /// Columns.
    ConfigHead = "config.head",
    /// The rule book, its edition and date.
    ReportRules = "report.rules",
    /// The account is newer than the rule book.
    ReportRulesOld = "report.rules-old",
    /// Books older than the account.
    ReportBooksOld = "report.books-old",
    /// Rules that wait for books.
    TotalIdleBooks = "total.idle-books",
    /// Rules that did not run.
    TotalIdle = "total.idle",
    /// Further reasons for which rules did not run.
    TotalIdleMore = "total.idle-more",
    /// Masked values were shown.
    TotalMasked = "total.masked",
    /// The exit code, when it is not 0.
    TotalExit = "total.exit",
    /// Where the protocol is.
    ProtocolOne = "protocol.one",
    /// Where the protocols are.
    ProtocolMany = "protocol.many",
    /// No such family.
    FormatsNoFamily = "formats.no-family",
    /// No such edition.
    FormatsNoEdition = "formats.no-edition",
    /// No such element.
    FormatsNoElement = "formats.no-element",
    /// What was generated.
    GenerateDone = "generate.done",
    /// How many defects were put in.
    GenerateDefects = "generate.defects",
    /// No such family.
    GenerateFamily = "generate.family",
    /// No such edition.
    GenerateEdition = "generate.edition",
    /// No edition in this month.
    GeneratePeriod = "generate.period",
    /// No such letters.
    GenerateLetters = "generate.letters",
    /// Not a code.
    GenerateCode = "generate.code",
    /// No case.
    FormEmpty = "form.empty",
    /// Letters of the name.
    FormLetters = "form.letters",
    /// A package is not read.
    FormOrigin = "form.origin",
    /// A package was changed.
    FormChanged = "form.changed",
    /// Pieces out of order.
    FormOrder = "form.order",
    /// Another version.
    FormEdition = "form.edition",
    /// Heads differ.
    FormBinding = "form.binding",
    /// No person.
    FormNoPerson = "form.no-person",
    /// Another person.
    FormPersonDiffers = "form.person-differs",
    /// Another sum.
    FormSum = "form.sum",
    /// No such element.
    FormElement = "form.element",
    /// A character that cannot be written.
    FormCharacter = "form.character",
    /// A value of the head.
    FormHeading = "form.heading",
    /// Too large.
    FormTooMany = "form.too-many",
    /// No free key.
    FormIdPac = "form.id-pac",
    /// Not written.
    FormWrite = "form.write",
    /// Formats that have it.
    FormatsElsewhere = "formats.elsewhere",
    /// Elements of a similar name.
    FormatsSimilar = "formats.similar",
    /// Where all elements are listed.
    FormatsSeeAll = "formats.see-all",
    /// The schema cannot be written.
    FormatsNotWritten = "formats.not-written",
    /// Where the schema is.
    FormatsExported = "formats.exported",
    /// Columns of the list.
    FormatsListHead = "formats.list-head",
    /// What to ask next.
    FormatsListMore = "formats.list-more",
    /// Columns of the letters.
    FormatsListLetters = "formats.list-letters",
    /// Head of an edition.
    FormatsTitle = "formats.title",
    /// Columns of the elements.
    FormatsShowHead = "formats.show-head",
    /// What to ask next.
    FormatsShowMore = "formats.show-more",
    /// What the letters mean.
    FormatsLegend = "formats.legend",
    /// Label.
    FormatsName = "formats.name",
    /// Label.
    FormatsObligation = "formats.obligation",
    /// Label.
    FormatsType = "formats.type",
    /// Label.
    FormatsLength = "formats.length",
    /// Label.
    FormatsMask = "formats.mask",
    /// Label.
    FormatsChars = "formats.chars",
    /// Label.
    FormatsValues = "formats.values",
    /// Label.
    FormatsBook = "formats.book",
    /// Label.
    FormatsEditions = "formats.editions",
    /// Label.
    FormatsBasis = "formats.basis",
    /// Label.
    FormatsScope = "formats.scope",
    /// Label.
    FormatsPrivacy = "formats.privacy",
    /// A block of elements.
    FormatsBlock = "formats.block",
    /// О.
    FormatsRequired = "formats.required",
    /// У.
    FormatsConditional = "formats.conditional",
    /// Н.
    FormatsOptional = "formats.optional",
    /// М.
    FormatsRepeatable = "formats.repeatable",
    /// Known from one region.
    FormatsRegional = "formats.regional",
    /// Personal data.
    FormatsPersonal = "formats.personal",
    /// Proven by a rule.
    FormatsProven = "formats.proven",
    /// Known from use.
    FormatsPractice = "formats.practice",
    /// Known from schemas.
    FormatsSchema = "formats.schema",
    /// Inferred.
    FormatsInferred = "formats.inferred",
    /// Forms.
    CountDay = "count.day",
    /// Forms.
    CountMonth = "count.month",
    /// Forms.
    CountYear = "count.year",
    /// An edition with its date.
    NsiEdition = "nsi.edition",
    /// An edition whose date is that of its rows.
    NsiEditionByRows = "nsi.edition-by-rows",
    /// An edition without a number.
    NsiUnnumbered = "nsi.unnumbered",
    /// A book of the binary.
    NsiEmbedded = "nsi.embedded",
    /// A book that came by import.
    NsiImported = "nsi.imported",
    /// No place for imported books.
    NsiNoFolder = "nsi.no-folder",
    /// A book was taken.
    NsiTaken = "nsi.taken",
    /// What it replaced.
    NsiTakenWas = "nsi.taken-was",
    /// What it replaced: the embedded book.
    NsiTakenWasBuiltIn = "nsi.taken-was-built-in",
    /// Rows without a key.
    NsiTakenLeftOut = "nsi.taken-left-out",
    /// A file was not taken.
    NsiRefused = "nsi.refused",
    /// What would be taken with --force.
    NsiForce = "nsi.force",
    /// The last line of an import.
    NsiImportTotal = "nsi.import-total",
    /// Reason.
    NsiRefusedUnreadable = "nsi.refused-unreadable",
    /// Reason.
    NsiRefusedArchive = "nsi.refused-archive",
    /// Reason.
    NsiRefusedTooLarge = "nsi.refused-too-large",
    /// Reason.
    NsiRefusedEncoding = "nsi.refused-encoding",
    /// Reason.
    NsiRefusedBroken = "nsi.refused-broken",
    /// Reason.
    NsiRefusedNotABook = "nsi.refused-not-a-book",
    /// Reason.
    NsiRefusedUnknown = "nsi.refused-unknown",
    /// Reason.
    NsiRefusedAmbiguous = "nsi.refused-ambiguous",
    /// Reason.
    NsiRefusedRules = "nsi.refused-rules",
    /// Reason.
    NsiRefusedOtherBook = "nsi.refused-other-book",
    /// Reason.
    NsiRefusedNoKey = "nsi.refused-no-key",
    /// Reason.
    NsiRefusedEmptyKey = "nsi.refused-empty-key",
    /// Reason.
    NsiRefusedBadDate = "nsi.refused-bad-date",
    /// Reason.
    NsiRefusedBadEditionDate = "nsi.refused-bad-edition-date",
    /// Reason.
    NsiRefusedEmpty = "nsi.refused-empty",
    /// Reason.
    NsiRefusedNothingNew = "nsi.refused-nothing-new",
    /// Reason.
    NsiRefusedOlder = "nsi.refused-older",
    /// Reason.
    NsiRefusedUndated = "nsi.refused-undated",
    /// Reason.
    NsiRefusedShrinks = "nsi.refused-shrinks",
    /// Reason.
    NsiRefusedNotWritten = "nsi.refused-not-written",
    /// Reason.
    NsiRefusedTable = "nsi.refused-table",
    /// A compiled book that cannot be used.
    NsiFault = "nsi.fault",
    /// Reason.
    NsiFaultForeign = "nsi.fault-foreign",
    /// Reason.
    NsiFaultNewer = "nsi.fault-newer",
    /// Reason.
    NsiFaultDamaged = "nsi.fault-damaged",
    /// What a day looks like.
    RulesDay = "rules.day",
    /// What the asterisk means.
    RulesInferred = "rules.inferred",
    /// How many rules are shown.
    RulesTotal = "rules.total",
    /// A rule book at hand.
    RulesEdition = "rules.edition",
    /// Columns.
    RulesCoverageGroups = "rules.coverage-groups",
    /// Columns.
    RulesCoverageCategories = "rules.coverage-categories",
    /// Rules of what clinics send.
    RulesOfClinics = "rules.of-clinics",
    /// Rules of what funds send each other.
    RulesOfFunds = "rules.of-funds",
    /// Books that rules wait for.
    RulesWaiting = "rules.waiting",
    /// Rules that run in part.
    RulesPartly = "rules.partly",
    /// Rules that cannot run.
    RulesNotExpressible = "rules.not-expressible",
    /// What it checks.
    ExplainChecks = "explain.checks",
    /// On what.
    ExplainElement = "explain.element",
    /// In which editions.
    ExplainEditions = "explain.editions",
    /// No edition has the element.
    ExplainNoEdition = "explain.no-edition",
    /// From which day to which.
    ExplainTerm = "explain.term",
    /// Why a date is inferred.
    ExplainInferred = "explain.inferred",
    /// The condition.
    ExplainWhen = "explain.when",
    /// No condition.
    ExplainAlways = "explain.always",
    /// The requirement.
    ExplainRequire = "explain.require",
    /// The requirement is known in words only.
    ExplainUnwritten = "explain.unwritten",
    /// A book.
    ExplainBook = "explain.book",
    /// The book, its field and date.
    ExplainBookLine = "explain.book-line",
    /// Its codes.
    ExplainBookValues = "explain.book-values",
    /// How many codes.
    ExplainBookCount = "explain.book-count",
    /// It is not there.
    ExplainBookAbsent = "explain.book-absent",
    /// A remark of the tables.
    ExplainNote = "explain.note",
    /// Whether it runs.
    ExplainState = "explain.state",
    /// It runs.
    ExplainRuns = "explain.runs",
    /// It runs in part.
    ExplainPartly = "explain.partly",
    /// It waits for books.
    ExplainWaits = "explain.waits",
    /// No format has its element.
    ExplainNoFormat = "explain.no-format",
    /// It needs what no file holds.
    ExplainOutside = "explain.outside",
    /// The rule of the economic control that says the same.
    ExplainTwin = "explain.twin",
    /// Where it is known from.
    ExplainSource = "explain.source",
    /// It is a rule of ours.
    ExplainStructure = "explain.structure",
    /// Federal rules that say the same.
    ExplainSame = "explain.same",
    /// A piece that passes.
    ExplainPassing = "explain.passing",
    /// A piece that fails.
    ExplainFailing = "explain.failing",
    /// Pieces of XML.
    ExplainExample = "explain.example",
    /// No example was found.
    ExplainNoExample = "explain.no-example",
    /// What to do.
    ExplainAdvice = "explain.advice",
    /// Rules of a prefix.
    ExplainSeveral = "explain.several",
    /// No such rule.
    ExplainUnknown = "explain.unknown",
    /// No such rule, but similar ones.
    ExplainUnknownNear = "explain.unknown-near",
    /// A book at hand beside the site's.
    NsiUpdateLine = "nsi.update-line",
    /// A rule book was taken.
    NsiUpdateRules = "nsi.update-rules",
    /// A rule book was not taken.
    NsiUpdateRefusedRules = "nsi.update-refused-rules",
    /// Nothing at hand.
    NsiUpdateNone = "nsi.update-none",
    /// Standing.
    NsiUpdateCurrent = "nsi.update-current",
    /// Standing.
    NsiUpdateOlder = "nsi.update-older",
    /// Standing.
    NsiUpdateNewer = "nsi.update-newer",
    /// Standing.
    NsiUpdateAbsent = "nsi.update-absent",
    /// Standing.
    NsiUpdateUnclear = "nsi.update-unclear",
    /// A book that failed.
    NsiUpdateFailed = "nsi.update-failed",
    /// Books that the site lacks.
    NsiUpdateUnlisted = "nsi.update-unlisted",
    /// The last line.
    NsiUpdateTotal = "nsi.update-total",
    /// The last line of a look.
    NsiUpdateWould = "nsi.update-would",
    /// Another try.
    NsiUpdateAgain = "nsi.update-again",
    /// Reason.
    NsiUpdateUnreachable = "nsi.update-unreachable",
    /// Reason.
    NsiUpdateTimeout = "nsi.update-timeout",
    /// Reason.
    NsiUpdateCut = "nsi.update-cut",
    /// Reason.
    NsiUpdateStatus = "nsi.update-status",
    /// Reason.
    NsiUpdateRedirect = "nsi.update-redirect",
    /// Reason.
    NsiUpdateTooLarge = "nsi.update-too-large",
    /// Reason.
    NsiUpdateEndless = "nsi.update-endless",
    /// Reason.
    NsiUpdateNotKept = "nsi.update-not-kept",
    /// Reason.
    NsiUpdateList = "nsi.update-list",
    /// Reason.
    NsiUpdatePage = "nsi.update-page",
    /// Reason.
    NsiUpdateNotAPacket = "nsi.update-not-a-packet",
    /// Reason.
    NsiUpdateOtherEdition = "nsi.update-other-edition",
    /// Reason.
    NsiUpdateRefused = "nsi.update-refused",
    /// Reason.
    NsiUpdateNotListed = "nsi.update-not-listed",
    /// Usage.
    NsiUpdateBadUrl = "nsi.update-bad-url",
    /// Usage.
    NsiUpdateBadProxy = "nsi.update-bad-proxy",
    /// Usage.
    NsiUpdateBadCa = "nsi.update-bad-ca",
    /// Usage.
    NsiUpdateNoClient = "nsi.update-no-client",
    /// Columns.
    NsiListHead = "nsi.list-head",
    /// What the asterisk means.
    NsiListByRows = "nsi.list-by-rows",
    /// Books that are not at hand.
    NsiListAbsent = "nsi.list-absent",
    /// Where imported books are.
    NsiListFolder = "nsi.list-folder",
    /// Head of a book.
    NsiShowTitle = "nsi.show-title",
    /// Label.
    NsiShowValid = "nsi.show-valid",
    /// A code out of its days.
    NsiShowNotValid = "nsi.show-not-valid",
    /// No such code.
    NsiShowNone = "nsi.show-none",
    /// The book is not at hand.
    NsiShowAbsent = "nsi.show-absent",
    /// No such book.
    NsiShowUnknown = "nsi.show-unknown",
    /// Label.
    NsiShowOrigin = "nsi.show-origin",
    /// Where an imported book is from.
    NsiShowFrom = "nsi.show-from",
    /// Label.
    NsiShowRows = "nsi.show-rows",
    /// Rows that are valid.
    NsiShowValidOn = "nsi.show-valid-on",
    /// Label.
    NsiShowKey = "nsi.show-key",
    /// The key and its values.
    NsiShowKeyValues = "nsi.show-key-values",
    /// Label.
    NsiShowFields = "nsi.show-fields",
    /// Label.
    NsiShowLookup = "nsi.show-lookup",
    /// Label.
    NsiShowComplete = "nsi.show-complete",
    /// Label.
    NsiShowNote = "nsi.show-note",
    /// No limits.
    NsiDaysAlways = "nsi.days-always",
    /// Open end.
    NsiDaysFrom = "nsi.days-from",
    /// Open beginning.
    NsiDaysUntil = "nsi.days-until",
    /// Both limits.
    NsiDaysBoth = "nsi.days-both",
    /// Forms.
    CountEntry = "count.entry",
    /// A whole journal.
    JournalSound = "journal.sound",
    /// A journal without entries.
    JournalSoundEmpty = "journal.sound-empty",
    /// Fault.
    JournalAltered = "journal.altered",
    /// Fault.
    JournalRewritten = "journal.rewritten",
    /// Fault.
    JournalCut = "journal.cut",
    /// Fault.
    JournalCutStart = "journal.cut-start",
    /// Fault.
    JournalMoved = "journal.moved",
    /// Fault.
    JournalDoubled = "journal.doubled",
    /// Fault.
    JournalInserted = "journal.inserted",
    /// Fault.
    JournalUnreadable = "journal.unreadable",
    /// Fault.
    JournalNotAsWritten = "journal.not-as-written",
    /// Fault.
    JournalTailCut = "journal.tail-cut",
    /// Fault.
    JournalEmptied = "journal.emptied",
    /// Fault.
    JournalHeadDiffers = "journal.head-differs",
    /// Fault.
    JournalDestroyed = "journal.destroyed",
    /// Faults not kept.
    JournalMore = "journal.more",
    /// What to do about faults.
    JournalAdvice = "journal.advice",
    /// No head.
    JournalHeadBroken = "journal.head-broken",
    /// A head of another version.
    JournalHeadSchema = "journal.head-schema",
    /// Neither a path nor a workspace.
    ValidateNoPath = "validate.no-path",
    /// No workspace upward.
    WorkspaceNone = "workspace.none",
    /// A workspace without its store.
    WorkspaceNotReady = "workspace.not-ready",
    /// Another program works there.
    WorkspaceBusy = "workspace.busy",
    /// The store refuses.
    WorkspaceStore = "workspace.store",
    /// The schema of the store.
    WorkspaceSchema = "workspace.schema",
    /// No registry is called so.
    WorkspaceNoRegistry = "workspace.no-registry",
    /// Several registries are called so.
    WorkspaceManyRegistries = "workspace.many-registries",
    /// It was sent before.
    WorkspaceAlreadySent = "workspace.already-sent",
    /// What was formed does not pass the control.
    WorkspaceNotClean = "workspace.not-clean",
    /// The journal cannot be continued.
    WorkspaceJournal = "workspace.journal",
    /// Reading or writing failed on the way.
    WorkspaceStream = "workspace.stream",
    /// A workspace was made.
    InitDone = "init.done",
    /// A workspace was there.
    InitAgain = "init.again",
    /// A package was taken.
    LoadTaken = "load.taken",
    /// A package was loaded before.
    LoadAlready = "load.already",
    /// A package was not taken.
    LoadRejected = "load.rejected",
    /// A package of an exchange between funds.
    LoadForeign = "load.foreign",
    /// New versions.
    LoadReplaced = "load.replaced",
    /// Unchanged cases.
    LoadUnchanged = "load.unchanged",
    /// New versions of cases in registries.
    LoadWaiting = "load.waiting",
    /// Doubtful cases.
    LoadDoubtful = "load.doubtful",
    /// Cases with errors.
    LoadBlocked = "load.blocked",
    /// A package with errors.
    LoadPackageBlocked = "load.package-blocked",
    /// Half a package.
    WatchHalf = "watch.half",
    /// Nothing to form.
    FormNothing = "form.nothing",
    /// What comes next.
    FormNext = "form.next",
    /// Left out for errors.
    FormBlocked = "form.blocked",
    /// Left out as doubtful.
    FormQuestion = "form.question",
    /// Left out as waiting.
    FormWaiting = "form.waiting",
    /// Left out as refused.
    FormRefused = "form.refused",
    /// Left out as unclear.
    FormUnclear = "form.unclear",
    /// Left out as held.
    FormHeld = "form.held",
    /// Where the package lies.
    SubmitPlaced = "submit.placed",
    /// Sent, but the package is not where it is due.
    SubmitUnplaced = "submit.unplaced",
    /// What sanctions came to.
    ReviewSanctions = "review.sanctions",
    /// An answer that was taken in before.
    ReceiveAlready = "receive.already",
    /// What an answer took off.
    ReceiveFindings = "receive.findings",
    /// What comes next for refused cases.
    ReceiveNext = "receive.next",
    /// An answer that cannot be read.
    AnswerFault = "answer.fault",
    /// No answer.
    AnswerNone = "answer.none",
    /// Several answers in one archive.
    AnswerSeveral = "answer.several",
    /// An element is missing.
    AnswerLacks = "answer.lacks",
    /// A value cannot be read.
    AnswerValue = "answer.value",
    /// A broken notice.
    AnswerNotice = "answer.notice",
    /// No decision.
    AnswerUndecided = "answer.undecided",
    /// A sanction of no case.
    SanctionNoCase = "sanction.no-case",
    /// A sanction of too much.
    SanctionTooMuch = "sanction.too-much",
    /// A broken file of sanctions.
    SanctionColumn = "sanction.column",
    /// A column of a file of sanctions is named twice.
    SanctionTwice = "sanction.twice",
    /// A row of a file of sanctions has another number of cells than the header.
    SanctionCells = "sanction.cells",
    /// A value of a file of sanctions.
    SanctionValue = "sanction.value",
    /// No sanction in the file.
    SanctionEmpty = "sanction.empty",
    /// The file of sanctions is no text.
    SanctionNotText = "sanction.not-text",
    /// The file of sanctions is too large.
    SanctionTooLarge = "sanction.too-large",
    /// Sheet of the registries.
    StatusSheet = "status.sheet",
    /// Sheet of the cases outside registries.
    StatusSheetStock = "status.sheet-stock",
    /// Sheet of what was done.
    StatusSheetHistory = "status.sheet-history",
    /// A registry in a line.
    StatusLine = "status.line",
    /// Head of cases outside registries.
    StatusOutside = "status.outside",
    /// Nothing yet.
    StatusEmpty = "status.empty",
    /// Who must act.
    StatusActs = "status.acts",
    /// What the payer took.
    StatusAccepted = "status.accepted",
    /// Cases to be formed.
    StatusFree = "status.free",
    /// Cases with errors.
    StatusBlocked = "status.blocked",
    /// Waiting versions.
    StatusWaiting = "status.waiting",
    /// Refused cases.
    StatusRefused = "status.refused",
    /// Doubtful cases.
    StatusQuestion = "status.question",
    /// Time left.
    ProgressLeft = "progress.left",
    /// An error of the run.
    Error = "error",
    /// A bug of ours.
    ErrorBug = "error.bug",
    /// A broken rule table.
    ErrorTable = "error.table",
    /// The result cannot be written.
    ErrorWrite = "error.write",
    /// A file cannot be read.
    ErrorRead = "error.read",
    /// Standard output or a temporary file fails.
    ErrorStream = "error.stream",
    /// A workbook is no text for a terminal.
    XlsxNeedsFile = "xlsx.needs-file",
    /// The row of totals.
    XlsxTotal = "xlsx.total",
    /// The system's reason: the device fails.
    ReasonDevice = "reason.device",
    /// The reason of the store: its file cannot be opened.
    ReasonUnopened = "reason.unopened",
    /// The system's reason: no such file or folder.
    ReasonNotFound = "reason.not-found",
    /// No rights, or another program holds the file.
    ReasonDenied = "reason.denied",
    /// The disk is full.
    ReasonFull = "reason.full",
    /// A folder stands there.
    ReasonFolder = "reason.folder",
    /// Nothing can be written there.
    ReasonReadOnly = "reason.read-only",
    /// A folder does not exist.
    ErrorNoFolder = "error.no-folder",
    /// A broken wildcard.
    ErrorPattern = "error.pattern",
    /// One stream holds one protocol.
    ErrorTooMany = "error.too-many",
    /// No package found.
    ErrorNothing = "error.nothing",
    /// No threads.
    ErrorThreads = "error.threads",
    /// A value of a setting.
    UsageValue = "usage.value",
    /// An argument that does not exist.
    UsageUnknown = "usage.unknown",
    /// A verb that does not exist.
    UsageCommand = "usage.command",
    /// No verb.
    UsageNoCommand = "usage.no-command",
    /// An argument is missing.
    UsageMissing = "usage.missing",
    /// Two arguments exclude each other.
    UsageConflict = "usage.conflict",
    /// An option without its value.
    UsageNoValue = "usage.no-value",
    /// A value that the option does not take.
    UsageBadValue = "usage.bad-value",
    /// What it takes.
    UsageAllowed = "usage.allowed",
    /// The wrong number of values.
    UsageNumber = "usage.number",
    /// Anything else.
    UsageOther = "usage.other",
    /// What was probably meant.
    UsageSimilar = "usage.similar",
    /// Where to read on.
    UsageHint = "usage.hint",
    /// A whole number is due.
    UsageInteger = "usage.integer",
    /// Stands for all options in the usage line.
    HelpOptionsWord = "heading.options-word",
    /// Heading of the usage line.
    HelpUsage = "heading.usage",
    /// Heading of the verbs.
    HelpCommands = "heading.commands",
    /// Placeholder of the verb.
    HelpCommand = "heading.command",
    /// Heading of positional arguments.
    HelpArguments = "heading.arguments",
    /// Heading of options.
    HelpOptions = "heading.options",
}

#[derive(Deserialize)]
struct TextRow {
    key: String,
    ru: String,
    en: String,
}

/// All interface texts.
#[derive(Debug, Clone)]
pub struct Texts {
    texts: Vec<Text>,
    help: BTreeMap<String, Text>,
}

impl Texts {
    /// Reads `rules/texts.csv`.
    ///
    /// # Errors
    /// A key that the program does not know or that stands twice, a missing key, an empty text, texts whose slots or plural forms differ.
    pub fn load(files: &RuleFiles) -> Result<Self, TableError> {
        let mut found: BTreeMap<String, Text> = BTreeMap::new();
        for (line, row) in files.rows::<TextRow>(TABLE)? {
            let fail = |message: String| TableError::new(TABLE, line, message);
            if row.ru.is_empty() || row.en.is_empty() {
                return Err(fail(format!("{}: both texts are due", row.key)));
            }
            if slots(&row.ru) != slots(&row.en) {
                return Err(fail(format!("{}: the texts have different slots", row.key)));
            }
            let forms = (row.ru.split('|').count(), row.en.split('|').count());
            if row.key.starts_with("count.") && forms != (3, 2) || row.key == Key::Months.as_str() && forms != (12, 12) {
                return Err(fail(format!("{}: wrong number of forms", row.key)));
            }
            if !row.key.starts_with(HELP) && !Key::ALL.iter().any(|k| k.as_str() == row.key) {
                return Err(fail(format!("no text is called «{}»", row.key)));
            }
            if found.insert(row.key.clone(), Text { ru: row.ru, en: row.en }).is_some() {
                return Err(fail(format!("{} stands twice", row.key)));
            }
        }
        let mut texts = Vec::with_capacity(Key::ALL.len());
        for key in Key::ALL {
            texts.push(found.remove(key.as_str()).ok_or_else(|| TableError::new(TABLE, 0, format!("no row for «{}»", key.as_str())))?);
        }
        Ok(Self { texts, help: found })
    }

    /// A text.
    pub fn get(&self, key: Key, lang: Lang) -> &str {
        self.texts[key as usize].get(lang)
    }

    /// A day as people write it.
    pub fn day(&self, lang: Lang, day: Date) -> String {
        let (year, month, number) = day.parts();
        match lang {
            Lang::Ru => format!("{number:02}.{month:02}.{year}"),
            Lang::En => day.to_string(),
        }
    }

    /// A text with its slots filled.
    pub fn fill(&self, key: Key, lang: Lang, slots: &[(&str, &str)]) -> String {
        fill(self.get(key, lang), |slot| slots.iter().find(|(name, _)| *name == slot).map(|(_, value)| *value))
    }

    /// A help text by its key without the head, such as `validate.limit`.
    pub fn help(&self, key: &str, lang: Lang) -> Option<&str> {
        self.help.get(&format!("{HELP}{key}")).map(|t| t.get(lang))
    }

    /// Keys of all help texts, without their head.
    pub fn help_keys(&self) -> impl Iterator<Item = &str> {
        self.help.keys().filter_map(|k| k.strip_prefix(HELP))
    }

    /// A number with its noun: «21 случай», «22 случая», «25 случаев».
    pub fn count(&self, key: Key, lang: Lang, number: u64) -> String {
        let forms = self.get(key, lang);
        let form = forms.split('|').nth(plural(lang, number)).unwrap_or(forms);
        format!("{}\u{a0}{form}", self.number(lang, number))
    }

    /// A number with its noun in the weight's word: «3 ошибки».
    pub fn count_severity(&self, severity: Severity, lang: Lang, number: u64) -> String {
        let key = match severity {
            Severity::Error => Key::CountError,
            Severity::Warning => Key::CountWarning,
            Severity::Info => Key::CountInfo,
        };
        self.count(key, lang, number)
    }

    /// The word of a weight: «ошибка».
    pub fn severity(&self, severity: Severity, lang: Lang) -> &str {
        let key = match severity {
            Severity::Error => Key::SeverityError,
            Severity::Warning => Key::SeverityWarning,
            Severity::Info => Key::SeverityInfo,
        };
        self.get(key, lang)
    }

    /// Digits in groups of three.
    pub fn number(&self, lang: Lang, number: u64) -> String {
        let digits = number.to_string();
        let mut out = String::with_capacity(digits.len() * 2);
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                out.push_str(self.get(Key::Thousands, lang));
            }
            out.push(digit);
        }
        out
    }

    /// Rubles of kopecks: «1 204 330,50 ₽».
    pub fn money(&self, lang: Lang, kopecks: i64) -> String {
        let sign = if kopecks < 0 { "−" } else { "" };
        let kopecks = kopecks.unsigned_abs();
        format!("{sign}{}{}{:02}\u{a0}₽", self.number(lang, kopecks / 100), self.get(Key::Point, lang), kopecks % 100)
    }

    /// «февраль 2021».
    pub fn month(&self, lang: Lang, month: Month) -> String {
        let name = self.get(Key::Months, lang).split('|').nth(usize::from(month.month) - 1).unwrap_or("");
        format!("{name} {}", month.year)
    }
}

/// Which form of a noun a number takes: in Russian of three, in English of two.
fn plural(lang: Lang, number: u64) -> usize {
    match lang {
        Lang::En => usize::from(number != 1),
        Lang::Ru => match (number % 10, number % 100) {
            (_, 11..=14) => 2,
            (1, _) => 0,
            (2..=4, _) => 1,
            _ => 2,
        },
    }
}

fn slots(text: &str) -> Vec<&str> {
    let mut slots: Vec<&str> = slots_of(text).collect();
    slots.sort_unstable();
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> Texts {
        Texts::load(&RuleFiles::embedded()).expect("the built-in table is sound")
    }

    #[test]
    fn nouns_agree_with_numbers() {
        let texts = texts();
        let words: Vec<String> = [0, 1, 2, 4, 5, 11, 14, 21, 22, 25, 101, 111, 1002].iter().map(|n| texts.count(Key::CountCase, Lang::Ru, *n)).collect();
        let expected =
            "0 случаев|1 случай|2 случая|4 случая|5 случаев|11 случаев|14 случаев|21 случай|22 случая|25 случаев|101 случай|111 случаев|1 002 случая";
        assert_eq!(words.join("|").replace('\u{a0}', " "), expected);
        assert_eq!(texts.count(Key::CountCase, Lang::En, 1), "1\u{a0}case");
        assert_eq!(texts.count_severity(Severity::Error, Lang::En, 21), "21\u{a0}errors");
    }

    #[test]
    fn money_has_kopecks_and_groups() {
        let texts = texts();
        let ru = |n| texts.money(Lang::Ru, n).replace('\u{a0}', " ");
        assert_eq!([ru(0), ru(5), ru(120_433_050), ru(-100_000)], ["0,00 ₽", "0,05 ₽", "1 204 330,50 ₽", "−1 000,00 ₽"]);
        assert_eq!(texts.money(Lang::En, 120_433_050), "1,204,330.50\u{a0}₽");
        assert_eq!(texts.month(Lang::Ru, Month { year: 2021, month: 2 }), "февраль 2021");
    }

    #[test]
    fn a_table_that_lacks_something_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let good = RuleFiles::embedded().text(TABLE).expect("there").into_owned();
        for (from, to, message) in [
            ("place.more,ещё {count}", "place.more,ещё {n}", "different slots"),
            ("place.more,", "place.most,", "no text is called"),
            ("count.file,файл|файла|файлов", "count.file,файл|файлов", "forms"),
            ("advice,что делать: {text},", "advice,,", "both texts"),
        ] {
            assert!(good.contains(from));
            std::fs::write(folder.path().join(TABLE), good.replacen(from, to, 1)).expect("written");
            let error = Texts::load(&RuleFiles::with_overlay(folder.path())).expect_err(to).to_string();
            assert!(error.contains(message), "{error}");
        }
        let lines: Vec<&str> = good.lines().filter(|l| !l.starts_with("advice")).collect();
        std::fs::write(folder.path().join(TABLE), lines.join("\n")).expect("written");
        assert!(Texts::load(&RuleFiles::with_overlay(folder.path())).is_err());
    }
}
