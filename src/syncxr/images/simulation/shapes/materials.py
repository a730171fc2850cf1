"""What shapes are made of."""

from __future__ import annotations

from syncxr.images.simulation.shapes.forms import Material

BARIUM_AS_IRON = 6.7
"""Grams of iron that attenuate as one of barium: 24.57, 13.79, 8.511, 3.963 and 2.196 cm²/g at 40,
50, 60, 80 and 100 keV (NIST XCOM, Z = 56; K edge at 37.4 keV) are 6.8, 7.0, 7.1, 6.7 and 5.9 times
those of iron (``film.beam.MU_METAL``).
"""

TITANIUM_AS_IRON = 0.63
"""Titanium likewise: 2.214, 1.213, 0.7661, 0.4052 and 0.2721 cm²/g (NIST XCOM, Z = 22)."""

STEEL = Material(metal=7.9)
"""Of wires and screws: iron, chromium and nickel, whose mean attenuates within 3 % of iron."""

TITANIUM = Material(metal=4.5 * TITANIUM_AS_IRON)
"""Of clips, of generators' shells and of ports."""

PLATINUM_IRIDIUM = Material(metal=21.5 * 3.4)
"""Of electrodes on leads; platinum attenuates 12.4 to 1.6 cm²/g at 40 to 78 keV and 5 above its K
edge (NIST XCOM, Z = 78): about 3.4 times iron over a chest film's beam."""

LEAD_COIL = Material(metal=2.6)
"""Of a pacing lead: multifilar coils of a nickel-cobalt alloy (8.4 g/cm³) about a third full, in
silicone."""


def loaded(polymer: float, barium_sulfate: float) -> Material:
    """A polymer that is made radiopaque.

    Args:
        polymer: Density of the wall beside what lies there, g/cm³.
        barium_sulfate: In the wall, g/cm³; 59 % of it is barium.
    """
    return Material(water=polymer, metal=0.588 * barium_sulfate * BARIUM_AS_IRON)


PVC = Material(water=0.35)
"""Wall of endotracheal and gastric tubes (1.3 g/cm³) amid tissue or, in part, air."""

MARKER = Material(metal=0.588 * 1.2 * BARIUM_AS_IRON)
"""Radiopaque line in such a wall: polyvinyl chloride with barium sulfate, about half by weight
(1.2 g/cm³ of it)."""

CATHETER = loaded(0.15, 0.35)
"""Polyurethane with 20 to 30 % of barium sulfate by weight, as venous catheters are."""

GAS = Material(water=-0.95)
"""Air where soft tissue lay."""

CALCIUM = Material(bone=0.55)
"""Calcified tissue, a granuloma or a plaque, on top of the tissue itself: some 700 HU."""
