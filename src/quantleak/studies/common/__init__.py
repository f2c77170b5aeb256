"""What every study needs: settings, claims, figures and their style, rankings, the strongest attack, a page."""

from quantleak.studies.common.claim import NOT_JUDGED as NOT_JUDGED
from quantleak.studies.common.claim import Claim as Claim
from quantleak.studies.common.claim import Judged as Judged
from quantleak.studies.common.claim import Verdict as Verdict
from quantleak.studies.common.figure import Figure as Figure
from quantleak.studies.common.page import Words as Words
from quantleak.studies.common.price import Price as Price
from quantleak.studies.common.settings import StudySettings as StudySettings
from quantleak.studies.common.study import Study as Study
