# The public interface, one list for readers, type checkers and the lazy import in __init__.py.
from unlearnbench.api.observed import (
    Observed as Observed,
)
from unlearnbench.api.observed import (
    observe as observe,
)
from unlearnbench.api.results import (
    Results as Results,
)
from unlearnbench.api.results import (
    run_suite as run_suite,
)
from unlearnbench.core.attacks import (
    Attack as Attack,
)
from unlearnbench.core.attacks import (
    Baseline as Baseline,
)
from unlearnbench.core.attacks import (
    FittedAttack as FittedAttack,
)
from unlearnbench.core.attacks import (
    ScoreAttack as ScoreAttack,
)
from unlearnbench.core.datasets import (
    Dataset as Dataset,
)
from unlearnbench.core.defenses import (
    PublicationDefense as PublicationDefense,
)
from unlearnbench.core.defenses import (
    ReleaseDefense as ReleaseDefense,
)
from unlearnbench.core.defenses import (
    ReleaseKeys as ReleaseKeys,
)
from unlearnbench.core.defenses import (
    TrainingDefense as TrainingDefense,
)
from unlearnbench.core.errors import (
    UserError as UserError,
)
from unlearnbench.core.estimates import (
    Estimate as Estimate,
)
from unlearnbench.core.executors import (
    Executor as Executor,
)
from unlearnbench.core.executors import (
    Failure as Failure,
)
from unlearnbench.core.executors import (
    Work as Work,
)
from unlearnbench.core.limits import (
    Limits as Limits,
)
from unlearnbench.core.metrics import (
    Metric as Metric,
)
from unlearnbench.core.metrics import (
    ScoredCell as ScoredCell,
)
from unlearnbench.core.models import (
    Decremental as Decremental,
)
from unlearnbench.core.models import (
    FitTask as FitTask,
)
from unlearnbench.core.models import (
    Fitted as Fitted,
)
from unlearnbench.core.models import (
    Seeds as Seeds,
)
from unlearnbench.core.models import (
    StepLog as StepLog,
)
from unlearnbench.core.models import (
    TargetModel as TargetModel,
)
from unlearnbench.core.observations import (
    Needs as Needs,
)
from unlearnbench.core.observations import (
    Observations as Observations,
)
from unlearnbench.core.observations import (
    ShadowView as ShadowView,
)
from unlearnbench.core.observations import (
    View as View,
)
from unlearnbench.core.options import (
    DPSGD as DPSGD,
)
from unlearnbench.core.options import (
    TrainingOptions as TrainingOptions,
)
from unlearnbench.core.originals import (
    Original as Original,
)
from unlearnbench.core.pools import (
    EpisodeSizes as EpisodeSizes,
)
from unlearnbench.core.pools import (
    Pools as Pools,
)
from unlearnbench.core.posteriors import (
    log_odds as log_odds,
)
from unlearnbench.core.posteriors import (
    log_of as log_of,
)
from unlearnbench.core.posteriors import (
    log_softmax as log_softmax,
)
from unlearnbench.core.ranges import (
    Choice as Choice,
)
from unlearnbench.core.ranges import (
    Range as Range,
)
from unlearnbench.core.records import (
    Provenance as Provenance,
)
from unlearnbench.core.records import (
    Records as Records,
)
from unlearnbench.core.records import (
    Step as Step,
)
from unlearnbench.core.records import (
    TrainingSet as TrainingSet,
)
from unlearnbench.core.references import (
    PopulationAnswers as PopulationAnswers,
)
from unlearnbench.core.references import (
    ReferenceAnswers as ReferenceAnswers,
)
from unlearnbench.core.scenarios import (
    Queries as Queries,
)
from unlearnbench.core.scenarios import (
    Request as Request,
)
from unlearnbench.core.scenarios import (
    Role as Role,
)
from unlearnbench.core.scenarios import (
    Scenario as Scenario,
)
from unlearnbench.core.seeding import (
    SeedPath as SeedPath,
)
from unlearnbench.core.strata import (
    Candidates as Candidates,
)
from unlearnbench.core.strata import (
    StratumScenario as StratumScenario,
)
from unlearnbench.core.training import (
    TrainingJob as TrainingJob,
)
from unlearnbench.core.unlearners import (
    CountsPasses as CountsPasses,
)
from unlearnbench.core.unlearners import (
    State as State,
)
from unlearnbench.core.unlearners import (
    Unlearner as Unlearner,
)
from unlearnbench.engine.gradients.batch import (
    Batch as Batch,
)
from unlearnbench.engine.gradients.bounds import (
    BoundedUnlearner as BoundedUnlearner,
)
from unlearnbench.engine.gradients.bounds import (
    Bounds as Bounds,
)
from unlearnbench.engine.gradients.edits import (
    WeightEdit as WeightEdit,
)
from unlearnbench.engine.gradients.jobs import (
    Made as Made,
)
from unlearnbench.engine.gradients.passes import (
    Edit as Edit,
)
from unlearnbench.engine.gradients.passes import (
    Loss as Loss,
)
from unlearnbench.engine.gradients.passes import (
    Measure as Measure,
)
from unlearnbench.engine.gradients.passes import (
    Optimizer as Optimizer,
)
from unlearnbench.engine.gradients.passes import (
    Pass as Pass,
)
from unlearnbench.engine.gradients.passes import (
    Penalty as Penalty,
)
from unlearnbench.engine.gradients.passes import (
    Rate as Rate,
)
from unlearnbench.engine.gradients.passes import (
    Stage as Stage,
)
from unlearnbench.engine.gradients.passes import (
    StepRule as StepRule,
)
from unlearnbench.engine.gradients.passes import (
    Term as Term,
)
from unlearnbench.engine.gradients.passes import (
    cosine as cosine,
)
from unlearnbench.engine.gradients.passes import (
    cross_entropy as cross_entropy,
)
from unlearnbench.engine.gradients.steps import (
    StepGradients as StepGradients,
)
from unlearnbench.engine.gradients.unlearner import (
    GradientUnlearner as GradientUnlearner,
)
from unlearnbench.engine.networks.modules import (
    HasModule as HasModule,
)
from unlearnbench.engine.networks.torch_model import (
    FittedTorch as FittedTorch,
)
from unlearnbench.engine.networks.torch_model import (
    TorchModel as TorchModel,
)
from unlearnbench.engine.sklearn_model import (
    SklearnModel as SklearnModel,
)
from unlearnbench.engine.unlearners import (
    Deletion as Deletion,
)
from unlearnbench.engine.unlearners import (
    ExactUnlearner as ExactUnlearner,
)
from unlearnbench.engine.unlearners import (
    FunctionUnlearner as FunctionUnlearner,
)
from unlearnbench.hooks.records import (
    AttackPlugin as AttackPlugin,
)
from unlearnbench.hooks.records import (
    DatasetPlugin as DatasetPlugin,
)
from unlearnbench.hooks.records import (
    DefensePlugin as DefensePlugin,
)
from unlearnbench.hooks.records import (
    ExecutorPlugin as ExecutorPlugin,
)
from unlearnbench.hooks.records import (
    MetricPlugin as MetricPlugin,
)
from unlearnbench.hooks.records import (
    ModelPlugin as ModelPlugin,
)
from unlearnbench.hooks.records import (
    ScenarioPlugin as ScenarioPlugin,
)
from unlearnbench.hooks.records import (
    UnlearnerPlugin as UnlearnerPlugin,
)
from unlearnbench.hooks.registry import (
    load_registry as load_registry,
)
from unlearnbench.hooks.specs import (
    hookimpl as hookimpl,
)

__version__: str
