"""The population: makers, takers and flow. Each agent is one class in one file and uses lob's public names only."""
from agents.arbitrageur import Arbitrageur
from agents.avellaneda_stoikov import AvellanedaStoikovMaker
from agents.execution import ExecutionTrader
from agents.glosten_milgrom import GlostenMilgromMaker
from agents.gueant_lehalle_tapia import GueantLehalleTapiaMaker
from agents.hawkes import HawkesTrader
from agents.iceberg import IcebergTrader
from agents.informed import InformedTrader
from agents.ladder import LadderMaker
from agents.metaorder import MetaorderTrader
from agents.momentum import MomentumTrader
from agents.news import NewsMaker
from agents.noise import NoiseTrader
from agents.race_aware import RaceAwareMaker
from agents.sniper import Sniper
from agents.spoofer import Spoofer
from agents.symmetric import SymmetricMaker
from agents.value import ValueTrader

__all__ = [
    "Arbitrageur", "AvellanedaStoikovMaker", "ExecutionTrader", "GlostenMilgromMaker", "GueantLehalleTapiaMaker", "HawkesTrader", "IcebergTrader",
    "InformedTrader", "LadderMaker", "MetaorderTrader", "MomentumTrader", "NewsMaker", "NoiseTrader", "RaceAwareMaker", "Sniper", "Spoofer", "SymmetricMaker",
    "ValueTrader",
]
