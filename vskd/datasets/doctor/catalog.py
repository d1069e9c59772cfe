"""The checks of `vskd doctor`. To add one: its file, one line here, one test that makes a data set with this illness.

Where two findings weigh the same, the order of this list decides.
"""

from collections.abc import Mapping

from vskd.datasets.doctor.checks.axes import Axes
from vskd.datasets.doctor.checks.dead import Dead
from vskd.datasets.doctor.checks.dominant_person import DominantPerson
from vskd.datasets.doctor.checks.drift import Drift
from vskd.datasets.doctor.checks.duplicates import Duplicates
from vskd.datasets.doctor.checks.few_people import FewPeople
from vskd.datasets.doctor.checks.few_people_class import FewPeopleClass
from vskd.datasets.doctor.checks.few_recordings import FewRecordings
from vskd.datasets.doctor.checks.gaps import Gaps
from vskd.datasets.doctor.checks.glitches import Glitches
from vskd.datasets.doctor.checks.gravity import Gravity
from vskd.datasets.doctor.checks.imbalance import Imbalance
from vskd.datasets.doctor.checks.leaks import Leaks
from vskd.datasets.doctor.checks.mixed_ranges import MixedRanges
from vskd.datasets.doctor.checks.mixed_units import MixedUnits
from vskd.datasets.doctor.checks.names import Names
from vskd.datasets.doctor.checks.one_person import OnePerson
from vskd.datasets.doctor.checks.one_person_class import OnePersonClass
from vskd.datasets.doctor.checks.protocol import ProtocolFits
from vskd.datasets.doctor.checks.same_people import SamePeople
from vskd.datasets.doctor.checks.saturation import Saturation
from vskd.datasets.doctor.checks.short import Short
from vskd.datasets.doctor.checks.stamps import Stamps
from vskd.datasets.doctor.checks.still import Still
from vskd.datasets.doctor.checks.suspicious_labels import SuspiciousLabels
from vskd.datasets.doctor.checks.two_labels import TwoLabels
from vskd.datasets.doctor.checks.uncalibrated import Uncalibrated
from vskd.datasets.doctor.checks.unknown_people import UnknownPeople
from vskd.datasets.doctor.checks.unpaired import Unpaired
from vskd.datasets.doctor.checks.unreadable import Unreadable
from vskd.datasets.doctor.checks.video_offset import VideoOffset
from vskd.datasets.doctor.checks.video_rate import VideoRate
from vskd.datasets.doctor.checks.wrong_rate import WrongRate
from vskd.datasets.doctor.finding import Check

CHECKS: Mapping[str, Check] = {
    check.name: check
    for check in (
        TwoLabels(),
        Leaks(),
        SamePeople(),
        ProtocolFits(),
        OnePerson(),
        OnePersonClass(),
        UnknownPeople(),
        Unreadable(),
        Dead(),
        MixedUnits(),
        Gravity(),
        WrongRate(),
        Axes(),
        Names(),
        FewRecordings(),
        Duplicates(),
        SuspiciousLabels(),
        Still(),
        Short(),
        Unpaired(),
        FewPeopleClass(),
        FewPeople(),
        VideoOffset(),
        VideoRate(),
        DominantPerson(),
        Imbalance(),
        MixedRanges(),
        Saturation(),
        Gaps(),
        Uncalibrated(),
        Glitches(),
        Stamps(),
        Drift(),
    )
}
"""By name."""
