//! The table of routes. Where several match, the first counts.

use axum::http::Method;

use super::openapi::{Answer, Body, Content, Kind, Parameter};
use super::routes::{Operation, Route};

macro_rules! parameters {
    ($($name:literal $kind:ident $about:literal),* $(,)?) => {
        &[$(Parameter { name: $name, kind: Kind::$kind, about: $about }),*]
    };
}

macro_rules! answers {
    ($($status:literal $body:ident $about:literal),* $(,)?) => {
        &[$(Answer { status: $status, about: $about, body: Body::$body }),*]
    };
}

const START_QUERY: &[Parameter] = parameters![
    "timeout" Seconds "Waits so long for the end, if a request may take so long, and answers with the output.",
    "pollingInterval" Seconds "Has no effect: the end is noticed at once.",
    "returnInternalServerErrorOnFailure" Flag "Whether a failure that was waited for is a 500.",
    "version" Text "The version of the orchestrator; without it, the default of the host, else the highest.",
];
const START_ANSWERS: &[Answer] = answers![
    200 Any "It has ended while it was waited for; the output, or the status if it did not complete.",
    202 ManagementUrls "It was started.",
    400 Error "The orchestrator is unknown, the id is not valid or the body is not JSON.",
    409 Error "An instance of the id exists and has not ended.",
];
const REASON: &[Parameter] = parameters!["reason" Text "The reason."];
const STEER_ANSWERS: &[Answer] = answers![
    202 None "It was done.",
    404 Error "There is no such instance.",
    410 Error "The instance has ended.",
];
const TOKEN: &str =
    "One page; the header `x-ms-continuation-token` says where the next one begins.";
const LIST_ENTITIES_QUERY: &[Parameter] = parameters![
    "lastOperationTimeFrom" Time "Those with an operation at this time or later.",
    "lastOperationTimeTo" Time "Those whose last operation was at this time or earlier.",
    "fetchState" Flag "Whether the states are shown. Default: false.",
    "top" Count "At most so many. Default: 100.",
];
const LIST_ENTITIES_ANSWERS: &[Answer] = &[Answer {
    status: 200,
    about: TOKEN,
    body: Body::Entities,
}];

pub(super) static ROUTES: [Route; 19] = [
    Route {
        method: Method::GET,
        path: "/health",
        operation: Operation::Health,
        summary: "Whether the host works; needs no key",
        query: &[],
        content: Content::None,
        answers: answers![
            200 Health "It does.",
            503 Error "Its storage cannot be read.",
        ],
    },
    Route {
        method: Method::GET,
        path: "/openapi.json",
        operation: Operation::OpenApi,
        summary: "This document",
        query: &[],
        content: Content::None,
        answers: answers![200 Any "This document."],
    },
    Route {
        method: Method::POST,
        path: "/orchestrators/{functionName}",
        operation: Operation::Start,
        summary: "Start orchestration",
        query: START_QUERY,
        content: Content::Json,
        answers: START_ANSWERS,
    },
    Route {
        method: Method::POST,
        path: "/orchestrators/{functionName}/{instanceId}",
        operation: Operation::Start,
        summary: "Start orchestration under an id",
        query: START_QUERY,
        content: Content::Json,
        answers: START_ANSWERS,
    },
    Route {
        method: Method::GET,
        path: "/instances",
        operation: Operation::ListInstances,
        summary: "Get all instances status",
        query: parameters![
            "createdTimeFrom" Time "Those created at this time or later.",
            "createdTimeTo" Time "Those created at this time or earlier.",
            "runtimeStatus" Statuses "Those with any of these statuses.",
            "instanceIdPrefix" Text "Those whose id begins like this.",
            "showInput" Flag "Whether inputs are shown. Default: true.",
            "top" Count "At most so many. Default: 100. A page of more than 8 MiB ends sooner.",
        ],
        content: Content::None,
        answers: &[Answer {
            status: 200,
            about: TOKEN,
            body: Body::Statuses,
        }],
    },
    Route {
        method: Method::DELETE,
        path: "/instances",
        operation: Operation::PurgeInstances,
        summary: "Purge multiple instance histories",
        query: parameters![
            "createdTimeFrom" Time "Needed: those created at this time or later.",
            "createdTimeTo" Time "Those created at this time or earlier.",
            "runtimeStatus" Statuses "Those with any of these statuses.",
            "instanceIdPrefix" Text "Those whose id begins like this.",
        ],
        content: Content::None,
        answers: answers![
            200 Purged "They were deleted.",
            400 Error "`createdTimeFrom` is missing.",
            404 Error "There is none that has ended.",
        ],
    },
    Route {
        method: Method::GET,
        path: "/instances/{instanceId}",
        operation: Operation::GetStatus,
        summary: "Get instance status",
        query: parameters![
            "showInput" Flag "Whether the input is shown. Default: true.",
            "showHistory" Flag "Whether the history is shown. Default: false.",
            "showHistoryOutput" Flag "Whether the history has outputs. Default: false.",
            "returnInternalServerErrorOnFailure" Flag "Whether a failure is a 500.",
        ],
        content: Content::None,
        answers: answers![
            200 Status "The instance has ended.",
            202 Status "It has not.",
            404 Error "There is no such instance.",
            500 Status "It has failed, and that is to be a 500.",
        ],
    },
    Route {
        method: Method::DELETE,
        path: "/instances/{instanceId}",
        operation: Operation::PurgeInstance,
        summary: "Purge single instance history",
        query: &[],
        content: Content::None,
        answers: answers![
            200 Purged "It was deleted.",
            404 Error "There is no such instance.",
            412 Error "It has not ended.",
        ],
    },
    Route {
        method: Method::POST,
        path: "/instances/{instanceId}/raiseEvent/{eventName}",
        operation: Operation::RaiseEvent,
        summary: "Raise event",
        query: &[],
        content: Content::Json,
        answers: STEER_ANSWERS,
    },
    Route {
        method: Method::POST,
        path: "/instances/{instanceId}/terminate",
        operation: Operation::Terminate,
        summary: "Terminate instance",
        query: REASON,
        content: Content::None,
        answers: STEER_ANSWERS,
    },
    Route {
        method: Method::POST,
        path: "/instances/{instanceId}/suspend",
        operation: Operation::Suspend,
        summary: "Suspend instance",
        query: REASON,
        content: Content::None,
        answers: STEER_ANSWERS,
    },
    Route {
        method: Method::POST,
        path: "/instances/{instanceId}/resume",
        operation: Operation::Resume,
        summary: "Resume instance",
        query: REASON,
        content: Content::None,
        answers: STEER_ANSWERS,
    },
    Route {
        method: Method::POST,
        path: "/instances/{instanceId}/rewind",
        operation: Operation::Rewind,
        summary: "Rewind instance",
        query: REASON,
        content: Content::None,
        answers: answers![
            202 None "It was done.",
            404 Error "There is no such instance.",
            410 Error "The instance has ended, and not failed.",
            412 Error "It has not ended.",
        ],
    },
    Route {
        method: Method::POST,
        path: "/instances/{instanceId}/restart",
        operation: Operation::Restart,
        summary: "Restart instance",
        query: parameters![
            "restartWithNewInstanceId" Flag "Whether under a new id. Default: true.",
            "timeout" Seconds "Waits so long for the end, if a request may take so long, and answers with the output.",
            "pollingInterval" Seconds "Has no effect: the end is noticed at once.",
            "returnInternalServerErrorOnFailure" Flag "Whether a failure that was waited for is a 500.",
        ],
        content: Content::None,
        answers: answers![
            200 Any "It has ended while it was waited for.",
            202 ManagementUrls "It was started.",
            404 Error "There is no such instance.",
            409 Error "It has not ended, and is to be started under its id.",
        ],
    },
    Route {
        method: Method::GET,
        path: "/entities",
        operation: Operation::ListEntities,
        summary: "List entities",
        query: LIST_ENTITIES_QUERY,
        content: Content::None,
        answers: LIST_ENTITIES_ANSWERS,
    },
    Route {
        method: Method::GET,
        path: "/entities/{entityName}",
        operation: Operation::ListEntities,
        summary: "List entities of a name",
        query: LIST_ENTITIES_QUERY,
        content: Content::None,
        answers: LIST_ENTITIES_ANSWERS,
    },
    Route {
        method: Method::GET,
        path: "/entities/{entityName}/{entityKey}",
        operation: Operation::GetEntity,
        summary: "Get entity; the key `$` is the empty one",
        query: &[],
        content: Content::None,
        answers: answers![
            200 Any "Its state.",
            404 Error "There is no such entity.",
        ],
    },
    Route {
        method: Method::POST,
        path: "/entities/{entityName}/{entityKey}",
        operation: Operation::SignalEntity,
        summary: "Signal entity; the key `$` is the empty one",
        query: parameters!["op" Text "The operation."],
        content: Content::JsonOrText,
        answers: answers![
            202 None "The signal was accepted.",
            400 Error "The body is not the JSON that it is said to be, or the key is not valid.",
            404 Error "There is no entity of the name, or it has no such operation.",
        ],
    },
    Route {
        method: Method::DELETE,
        path: "/entities/{entityName}/{entityKey}",
        operation: Operation::DeleteEntity,
        summary: "Delete entity: signals its operation `delete`",
        query: &[],
        content: Content::None,
        answers: answers![
            202 None "The signal was accepted.",
            404 Error "There is no entity of the name.",
        ],
    },
];
