"""Papers that several built-in plug-ins come from, as `reference` names them."""

from typing import Final

CHEN: Final = "Chen et al. 2021, arXiv 2005.02205"
CHOQUETTE: Final = "Choquette-Choo et al. 2021, arXiv 2007.14321"
CARLINI: Final = "Carlini et al. 2022, arXiv 2112.03570"
FU: Final = "Fu et al. 2026, arXiv 2605.01129"
YEOM: Final = "Yeom et al. 2018, arXiv 1709.01604"
JAGIELSKI: Final = "Jagielski et al. 2023, arXiv 2205.06369"
CAO: Final = "Cao and Yang 2015, doi 10.1109/SP.2015.35"
YE: Final = "Ye et al. 2022, arXiv 2111.09679"
HAYES: Final = "Hayes et al. 2024, arXiv 2403.01218"
ZARIFZADEH: Final = "Zarifzadeh et al. 2024, arXiv 2312.03262"
NADERLOUI: Final = "Naderloui et al. 2025, arXiv 2506.13009"
WANG: Final = "Wang et al. 2025, arXiv 2506.06112"
