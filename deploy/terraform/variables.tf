# ---- The module's own ----

variable "name" {
  description = "The function's name, and a part of the names of everything else, as a stack's name is with CloudFormation."
  type        = string
  default     = "cloudtrail-signals"
}

variable "code_file" {
  description = "The function's zip on this machine, of a release. Either this or code_bucket and code_key."
  type        = string
  default     = null
}

variable "code_bucket" {
  description = "The bucket, in this region, that holds the function's zip."
  type        = string
  default     = null
}

variable "code_key" {
  description = "The key of the zip in code_bucket, which names a version."
  type        = string
  default     = null
}

variable "code_sha256" {
  description = "The zip's SHA-256 in base64, so that another zip under the same name is deployed: openssl dgst -sha256 -binary ZIP | base64"
  type        = string
  default     = null
}

# ---- Where CloudTrail delivers ----

variable "trail_bucket_name" {
  description = "The existing bucket CloudTrail delivers to, in this region, or up to five with commas between them. Without delivery_topic_arn each must have Amazon EventBridge notifications switched on. Empty makes a bucket."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](,[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]){0,4}$", var.trail_bucket_name))
    error_message = "trail_bucket_name must be one to five names of buckets with commas and no spaces between them, or empty."
  }
}

variable "delivery_topic_arn" {
  description = "An existing standard SNS topic, in this region, that hears of every delivery in trail_bucket_name: the topic CloudTrail itself notifies, or the target of the bucket's own notifications. Empty takes EventBridge."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$", var.delivery_topic_arn))
    error_message = "delivery_topic_arn must be the ARN of a standard SNS topic, or empty."
  }
}

variable "trail_prefix" {
  description = "Read only objects whose key begins with this, such as AWSLogs/ or my-trail/AWSLogs/o-exampleorgid/. A topic in delivery_topic_arn must speak of no others. Empty reads every object in the bucket."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^[A-Za-z0-9!_.'()/-]*$", var.trail_prefix))
    error_message = "trail_prefix may hold letters, digits and !_.'()/- only."
  }
}

variable "trail_bucket_owner" {
  description = "The account that must own the bucket. Empty does not check."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^[0-9]{12}$", var.trail_bucket_owner))
    error_message = "trail_bucket_owner must be an account id of 12 digits, or empty."
  }
}

variable "trail_kms_key_arn" {
  description = "The ARN of the KMS key that CloudTrail encrypts its deliveries with; a trail that create_trail makes uses it too. Empty when there is none (SSE-S3)."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.trail_kms_key_arn))
    error_message = "trail_kms_key_arn must be the ARN of a key, not of an alias, or empty."
  }
}

variable "real_time" {
  description = "Whether EventBridge also brings the calls that real_time_pattern asks for, in this account and region, seconds after they are made. The delivery then brings each of them again, minutes later; with archive_signals it is published once."
  type        = bool
  default     = false
}

variable "real_time_pattern" {
  description = "The EventBridge pattern of the events that real_time brings, as \"cloudtrail-scan --event-pattern\" prints it for your rules. The default is that of the embedded rule."
  type        = string
  default     = "{\"source\":[{\"prefix\":\"aws.\"}],\"detail-type\":[\"AWS API Call via CloudTrail\",\"AWS Console Action via CloudTrail\",\"AWS Console Sign In via CloudTrail\",\"AWS Service Event via CloudTrail\"],\"detail\":{\"eventSource\":[\"lambda.amazonaws.com\"],\"eventName\":[{\"prefix\":\"CreateFunction\"},{\"prefix\":\"UpdateFunctionCode\"}]}}"

  validation {
    condition     = can(regex("^\\{.*\\}$", var.real_time_pattern))
    error_message = "real_time_pattern must be a JSON object."
  }
}

# ---- A trail of this stack's own ----

variable "create_trail" {
  description = "Whether to make a multi-region trail of management events that delivers to the bucket this stack makes."
  type        = bool
  default     = false
}

variable "organization_id" {
  description = "The organization whose every account the trail covers. Needs create_trail, and a stack in the organization's management account. Empty covers this account alone."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^o-[a-z0-9]{10,32}$", var.organization_id))
    error_message = "organization_id must look like o-exampleorgid, or be empty."
  }
}

variable "trail_retention" {
  description = "Days after which deliveries expire in the bucket this stack makes."
  type        = number
  default     = 365

  validation {
    condition     = var.trail_retention >= 1 && var.trail_retention <= 36500
    error_message = "trail_retention must be from 1 to 36500."
  }
}

# ---- What happens to a match ----

variable "exception_query" {
  description = "A KQL query for known activity: its matches are logged, not published. Empty publishes every match."
  type        = string
  default     = ""

  validation {
    condition     = length(var.exception_query) <= 2048
    error_message = "exception_query has at most 2048 characters."
  }
}

variable "fifo_topic" {
  description = "Whether the topic is a FIFO topic: it drops repeats within five minutes, but delivers only to SQS. A change replaces the topic, and its subscriptions are lost."
  type        = bool
  default     = false
}

variable "signal_kms_key_arn" {
  description = "The ARN of a KMS key of your own that encrypts the topics, the queues and the table. Its policy must let in the services that docs/security.md lists. Empty uses the services' own keys."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.signal_kms_key_arn))
    error_message = "signal_kms_key_arn must be the ARN of a key, not of an alias, or empty."
  }
}

variable "archive_signals" {
  description = "Whether to make a bucket that keeps every signal once, so that a replay publishes none again. Scanning the past needs it. The bucket outlives the stack."
  type        = bool
  default     = false
}

# ---- Which rules are on ----

variable "starter_rules" {
  description = "Whether the rules of the starter pack are on, too. Without it the function has the one rule that it is for, and those of rules_layer_arn."
  type        = bool
  default     = false
}

variable "rules_layer_arn" {
  description = "The version of a layer with a bundle of rules, which `make rules RULES=DIR` publishes and prints: more rules, exceptions, account names and routes. Empty adds none."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]{1,140}:[0-9]+$", var.rules_layer_arn))
    error_message = "rules_layer_arn must be the ARN of a layer's version, or empty."
  }
}

# ---- What rules remember ----

variable "memory" {
  description = "Whether to make a table for rules that remember: those that report what happens for the first time, or too often. Without it they are off. A table that is not used costs nothing. It outlives the stack."
  type        = bool
  default     = true
}

variable "memory_table_arn" {
  description = "The DynamoDB table for rules with memory. Takes the ARN of another stack's table, in any region: what is new in one region is then known in all. Empty makes a table."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]{3,255}$", var.memory_table_arn))
    error_message = "memory_table_arn must be the ARN of a table, or empty."
  }
}

variable "learning_days" {
  description = "Days for which rules with memory learn before they report. Empty takes each rule's window."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^[0-9]{1,3}$", var.learning_days))
    error_message = "learning_days must be a whole number of up to three digits, or empty."
  }
}

# ---- What people are told ----

variable "notices" {
  description = "Signals that give notices: `alerts` (no building blocks) or `all`. With `none` there is no topic for notices."
  type        = string
  default     = "alerts"

  validation {
    condition     = contains(["none", "alerts", "all"], var.notices)
    error_message = "notices must be one of none, alerts, all."
  }
}

variable "notice_email" {
  description = "Up to five addresses, separated by commas, that get every notice once each has confirmed the mail SNS sends. Empty sends none."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^[^@\\s,]+@[^@\\s,]+\\.[^@\\s,]+(,[^@\\s,]+@[^@\\s,]+\\.[^@\\s,]+){0,4}$", var.notice_email))
    error_message = "notice_email must be one to five addresses with commas and no spaces between them, or empty."
  }
}

variable "notice_quiet_seconds" {
  description = "Seconds after a notice in which others of its rule and principal are held back."
  type        = number
  default     = 300

  validation {
    condition     = var.notice_quiet_seconds >= 0 && var.notice_quiet_seconds <= 86400
    error_message = "notice_quiet_seconds must be from 0 to 86400."
  }
}

variable "notice_topic_arns" {
  description = "The ARNs of the further topics, separated by commas, that routes send notices to. The function may publish there. Empty when there are none."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.notice_topic_arns : can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$", arn))])
    error_message = "notice_topic_arns must be ARNs of standard SNS topics."
  }
}

variable "slack_workspace_id" {
  description = "The id of a Slack workspace that Amazon Q Developer in chat applications is authorised for, by hand, once. Needs slack_channel_id. Empty sends nothing to Slack."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^[0-9A-Z]{1,255}$", var.slack_workspace_id))
    error_message = "slack_workspace_id must look like T0123ABCD, or be empty."
  }
}

variable "slack_channel_id" {
  description = "The id of the Slack channel, as C0123456789, that gets every notice."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^[A-Za-z0-9]{1,255}$", var.slack_channel_id))
    error_message = "slack_channel_id must look like C0123ABCD, or be empty."
  }
}

variable "teams_tenant_id" {
  description = "The id of a Microsoft Teams tenant that Amazon Q Developer in chat applications is authorised for, by hand, once. Needs teams_team_id and teams_channel_id. Empty sends nothing to Teams."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$", var.teams_tenant_id))
    error_message = "teams_tenant_id must be a UUID, or empty."
  }
}

variable "teams_team_id" {
  description = "The id of the team in Teams."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$", var.teams_team_id))
    error_message = "teams_team_id must be a UUID, or empty."
  }
}

variable "teams_channel_id" {
  description = "The id of the channel in Teams that gets every notice, as it stands in a link to it: 19%3A…%40thread.tacv2."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^[A-Za-z0-9_=+/.,-]*%3[aA][A-Za-z0-9_=+/.,-]*%40[A-Za-z0-9_=+/.,-]*$", var.teams_channel_id))
    error_message = "teams_channel_id must look like 19%3Aabc%40thread.tacv2, or be empty."
  }
}

# ---- The function ----

variable "architecture" {
  description = "The processor the function is built for and runs on."
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture must be one of x86_64, arm64."
  }
}

variable "function_role_name" {
  description = "A name for the function's role, so that a bucket or key in another account can let it in before the stack exists. A role's name is for all regions of the account. Empty takes a name of CloudFormation's own."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^[A-Za-z0-9_+=,.@-]{1,64}$", var.function_role_name))
    error_message = "function_role_name must be a name of at most 64 characters without a path, or empty."
  }
}

variable "memory_size" {
  description = "The function's memory in MiB. Processor time grows with it."
  type        = number
  default     = 256

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240
    error_message = "memory_size must be from 128 to 10240."
  }
}

variable "maximum_concurrency" {
  description = "How many copies of the function the queue may keep busy at once."
  type        = number
  default     = 10

  validation {
    condition     = var.maximum_concurrency >= 2 && var.maximum_concurrency <= 1000
    error_message = "maximum_concurrency must be from 2 to 1000."
  }
}

variable "log_level" {
  description = "DEBUG also logs what was skipped, and why."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["INFO", "DEBUG"], var.log_level)
    error_message = "log_level must be one of INFO, DEBUG."
  }
}

variable "log_retention" {
  description = "Days the function's log lines are kept."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653], var.log_retention)
    error_message = "log_retention must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653."
  }
}

# ---- Who is notified of problems ----

variable "alarm_email" {
  description = "An address that gets a mail for every alarm, once it has confirmed the mail SNS sends. Empty sends none; the alarms exist in any case."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.alarm_email))
    error_message = "alarm_email must be one address, or empty."
  }
}

variable "alarm_topic_arn" {
  description = "An existing SNS topic in this region that is notified of every alarm. Empty notifies none."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^$|^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$", var.alarm_topic_arn))
    error_message = "alarm_topic_arn must be the ARN of a standard SNS topic, or empty."
  }
}

variable "silence_hours" {
  description = "Hours without a single delivery read to its end after which the silence alarm sounds. An account that does next to nothing may need more than one."
  type        = number
  default     = 1

  validation {
    condition     = var.silence_hours >= 1 && var.silence_hours <= 24
    error_message = "silence_hours must be from 1 to 24."
  }
}

variable "account_silence_hours" {
  description = "Hours without a delivery after which a signal reports an account and region as silent. Needs memory. 0 is off."
  type        = number
  default     = 0

  validation {
    condition     = var.account_silence_hours >= 0 && var.account_silence_hours <= 720
    error_message = "account_silence_hours must be from 0 to 720."
  }
}

variable "latency_target" {
  description = "Seconds from an API call to its signal that nine in ten signals should stay within."
  type        = number
  default     = 900

  validation {
    condition     = var.latency_target >= 1 && var.latency_target <= 86400
    error_message = "latency_target must be from 1 to 86400."
  }
}

variable "metrics_namespace" {
  description = "The CloudWatch namespace of the function's metrics."
  type        = string
  default     = "CloudTrailSignals"

  validation {
    condition     = can(regex("^[A-Za-z0-9_./#:-]{1,255}$", var.metrics_namespace)) && !startswith(var.metrics_namespace, "AWS/")
    error_message = "metrics_namespace must not begin with AWS/, and may hold up to 255 letters, digits and _./#:- only."
  }
}
