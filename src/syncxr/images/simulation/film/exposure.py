"""How a film is taken and developed: one record of numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Exposure:
    """How a film is taken and developed.

    Attributes:
        hardness: 0 = soft beam (about 85 kVp), 1 = hard beam (about 130 kVp).
        scatter: Scattered over primary fluence behind the grid, mean over the film; 0.15 to 0.5
            with a grid, up to 1.5 without one (Chan and Doi, Med Phys 1985).
        dose: Photons a pixel of 1.5 mm behind 10 cm of water.
        electronic: Photons a pixel of 1.5 mm whose quantum noise equals that of the electronics.
        blur: Standard deviation of focal spot and detector, mm at the detector.
        black: Percentile of the log signal that becomes black.
        white: Percentile that becomes white, but for the shoulder.
        shoulder: Share of the window from which the grey curve bends towards white, in (0, 1); 1
            cuts it off at white.
        gamma: Of the grey curve.
        detail: Gain of the coarse band of detail.
        detail_mm: Its width, mm.
        fine: Gain of the fine band, a quarter as wide.
        equalise: Share of the slow variation over the film that processing takes away.
        inverted: Bone dark, as films stored for MONOCHROME1 look.
    """

    hardness: float = 0.5
    scatter: float = 0.3
    dose: float = 4000.0
    electronic: float = 50.0
    blur: float = 0.4
    black: float = 1.0
    white: float = 99.0
    shoulder: float = 0.8
    gamma: float = 1.0
    detail: float = 0.5
    detail_mm: float = 6.0
    fine: float = 0.2
    equalise: float = 0.3
    inverted: bool = False

    def to_dict(self) -> dict[str, float | bool]:
        """As JSON values."""
        return asdict(self)
