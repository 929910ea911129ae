# Written by tools/terraform.py from template.yaml, which is where to change anything.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

variable "name" {
  description = "What CloudFormation calls the stack's name: part of the names of log group, dashboard, FIFO topic and trail."
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

variable "trail_bucket_name" {
  description = "The existing bucket CloudTrail delivers to, in this region, or up to five with commas between them. Without DeliveryTopicArn each must have Amazon EventBridge notifications switched on. Empty makes a bucket."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.trail_bucket_name] : can(regex("^$|^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](,[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]){0,4}$", each))])
    error_message = "It must match ^$|^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](,[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]){0,4}$."
  }
}

variable "delivery_topic_arn" {
  description = "An existing standard SNS topic, in this region, that hears of every delivery in TrailBucketName: the topic CloudTrail itself notifies, or the target of the bucket's own notifications. Empty takes EventBridge."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.delivery_topic_arn] : can(regex("^$|^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$", each))])
    error_message = "It must match ^$|^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$."
  }
}

variable "trail_prefix" {
  description = "Read only objects whose key begins with this, such as AWSLogs/ or my-trail/AWSLogs/o-exampleorgid/. A topic in DeliveryTopicArn must speak of no others. Empty reads every object in the bucket."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.trail_prefix] : can(regex("^[A-Za-z0-9!_.'()/-]*$", each))])
    error_message = "It must match ^[A-Za-z0-9!_.'()/-]*$."
  }
}

variable "trail_bucket_owner" {
  description = "The id of the account that must own the bucket; a read from a bucket of any other account fails. Empty does not check."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.trail_bucket_owner] : can(regex("^$|^[0-9]{12}$", each))])
    error_message = "It must match ^$|^[0-9]{12}$."
  }
}

variable "trail_kms_key_arn" {
  description = "The ARN of the KMS key that CloudTrail encrypts its deliveries with; a trail that CreateTrail makes uses it too. Empty when there is none (SSE-S3)."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.trail_kms_key_arn] : can(regex("^$|^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", each))])
    error_message = "It must match ^$|^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$."
  }
}

variable "real_time" {
  description = "Whether EventBridge also brings the calls that RealTimePattern asks for, in this account and region, seconds after they are made. The delivery then brings each of them again, minutes later; with ArchiveSignals it is published once."
  type = string
  default = "false"
  validation {
    condition = contains(["true", "false"], var.real_time)
    error_message = "It must be one of true, false."
  }
}

variable "real_time_pattern" {
  description = "The EventBridge pattern of the events that RealTime brings, as \"cloudtrail-scan --event-pattern\" prints it for your rules. The default is that of the embedded rule."
  type = string
  default = "{\"source\":[{\"prefix\":\"aws.\"}],\"detail-type\":[\"AWS API Call via CloudTrail\",\"AWS Console Action via CloudTrail\",\"AWS Console Sign In via CloudTrail\",\"AWS Service Event via CloudTrail\"],\"detail\":{\"eventSource\":[\"lambda.amazonaws.com\"],\"eventName\":[{\"prefix\":\"CreateFunction\"},{\"prefix\":\"UpdateFunctionCode\"}]}}"
  validation {
    condition = alltrue([for each in [var.real_time_pattern] : can(regex("^\\{.*\\}$", each))])
    error_message = "It must match ^\\{.*\\}$."
  }
}

variable "create_trail" {
  description = "Whether to make a multi-region trail of management events that delivers to the bucket this stack makes."
  type = string
  default = "false"
  validation {
    condition = contains(["true", "false"], var.create_trail)
    error_message = "It must be one of true, false."
  }
}

variable "organization_id" {
  description = "The organization whose every account the trail covers. Needs CreateTrail, and a stack in the organization's management account. Empty covers this account alone."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.organization_id] : can(regex("^$|^o-[a-z0-9]{10,32}$", each))])
    error_message = "It must match ^$|^o-[a-z0-9]{10,32}$."
  }
}

variable "trail_retention" {
  description = "Days after which deliveries expire in the bucket this stack makes."
  type = number
  default = 365
  validation {
    condition = var.trail_retention >= 1
    error_message = "It must be >= 1."
  }
  validation {
    condition = var.trail_retention <= 36500
    error_message = "It must be <= 36500."
  }
}

variable "exception_query" {
  description = "A KQL query for what is known and allowed; a match that satisfies it is counted and logged, not published. Empty publishes every match."
  type = string
  default = ""
  validation {
    condition = length(var.exception_query) <= 2048
    error_message = "It has at most 2048 characters."
  }
}

variable "starter_rules" {
  description = "Whether the rules of the starter pack are on, too. Without it the function has the one rule that it is for, and those of RulesLayerArn."
  type = string
  default = "false"
  validation {
    condition = contains(["true", "false"], var.starter_rules)
    error_message = "It must be one of true, false."
  }
}

variable "rules_layer_arn" {
  description = "The version of a layer with a bundle of rules, which `make rules RULES=DIR` publishes and prints: more rules, exceptions, account names and routes. Empty adds none."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.rules_layer_arn] : can(regex("^$|^arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]{1,140}:[0-9]+$", each))])
    error_message = "It must match ^$|^arn:[a-z-]+:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]{1,140}:[0-9]+$."
  }
}

variable "fifo_topic" {
  description = "Whether the topic is a FIFO topic: in order for each account, but only for SQS subscribers. A change replaces the topic, and its subscriptions are lost."
  type = string
  default = "false"
  validation {
    condition = contains(["true", "false"], var.fifo_topic)
    error_message = "It must be one of true, false."
  }
}

variable "signal_kms_key_arn" {
  description = "The ARN of a KMS key of your own that encrypts the topics, the queues and the table. Its policy must let in the services that docs/security.md lists. Empty uses the services' own keys."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.signal_kms_key_arn] : can(regex("^$|^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", each))])
    error_message = "It must match ^$|^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$."
  }
}

variable "archive_signals" {
  description = "Whether to make a bucket that keeps every signal once, so that a replay publishes none again. Scanning the past needs it. The bucket outlives the stack."
  type = string
  default = "false"
  validation {
    condition = contains(["true", "false"], var.archive_signals)
    error_message = "It must be one of true, false."
  }
}

variable "notices" {
  description = "Which signals people get notices of, on a topic of their own. \"alerts\" leaves out building blocks, \"none\" makes no topic."
  type = string
  default = "alerts"
  validation {
    condition = contains(["none", "alerts", "all"], var.notices)
    error_message = "It must be one of none, alerts, all."
  }
}

variable "notice_email" {
  description = "Up to five addresses, separated by commas, that get every notice once each has confirmed the mail SNS sends. Empty sends none."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.notice_email] : can(regex("^$|^[^@\\s,]+@[^@\\s,]+\\.[^@\\s,]+(,[^@\\s,]+@[^@\\s,]+\\.[^@\\s,]+){0,4}$", each))])
    error_message = "It must match ^$|^[^@\\s,]+@[^@\\s,]+\\.[^@\\s,]+(,[^@\\s,]+@[^@\\s,]+\\.[^@\\s,]+){0,4}$."
  }
}

variable "notice_quiet_seconds" {
  description = "Seconds after a notice in which others of the same rule and principal are held back."
  type = number
  default = 300
  validation {
    condition = var.notice_quiet_seconds >= 0
    error_message = "It must be >= 0."
  }
  validation {
    condition = var.notice_quiet_seconds <= 86400
    error_message = "It must be <= 86400."
  }
}

variable "notice_topic_arns" {
  description = "The ARNs of the further topics, separated by commas, that routes send notices to. The function may publish there. Empty when there are none."
  type = list(string)
  default = [""]
  validation {
    condition = alltrue([for each in var.notice_topic_arns : can(regex("^$|^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$", each))])
    error_message = "It must match ^$|^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$."
  }
}

variable "slack_workspace_id" {
  description = "The id of a Slack workspace that Amazon Q Developer in chat applications is authorised for, by hand, once. Needs SlackChannelId. Empty sends nothing to Slack."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.slack_workspace_id] : can(regex("^$|^[0-9A-Z]{1,255}$", each))])
    error_message = "It must match ^$|^[0-9A-Z]{1,255}$."
  }
}

variable "slack_channel_id" {
  description = "The id of the Slack channel, as C0123456789, that gets every notice."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.slack_channel_id] : can(regex("^$|^[A-Za-z0-9]{1,255}$", each))])
    error_message = "It must match ^$|^[A-Za-z0-9]{1,255}$."
  }
}

variable "teams_tenant_id" {
  description = "The id of a Microsoft Teams tenant that Amazon Q Developer in chat applications is authorised for, by hand, once. Needs TeamsTeamId and TeamsChannelId. Empty sends nothing to Teams."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.teams_tenant_id] : can(regex("^$|^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$", each))])
    error_message = "It must match ^$|^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$."
  }
}

variable "teams_team_id" {
  description = "The id of the team in Teams."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.teams_team_id] : can(regex("^$|^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$", each))])
    error_message = "It must match ^$|^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$."
  }
}

variable "teams_channel_id" {
  description = "The id of the channel in Teams that gets every notice, as it stands in a link to it: 19%3A…%40thread.tacv2."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.teams_channel_id] : can(regex("^$|^[A-Za-z0-9_=+/.,-]*%3[aA][A-Za-z0-9_=+/.,-]*%40[A-Za-z0-9_=+/.,-]*$", each))])
    error_message = "It must match ^$|^[A-Za-z0-9_=+/.,-]*%3[aA][A-Za-z0-9_=+/.,-]*%40[A-Za-z0-9_=+/.,-]*$."
  }
}

variable "memory" {
  description = "Whether to make a table for rules that remember: those that report what happens for the first time, or too often. Without it they are off. A table that is not used costs nothing. It outlives the stack."
  type = string
  default = "true"
  validation {
    condition = contains(["true", "false"], var.memory)
    error_message = "It must be one of true, false."
  }
}

variable "memory_table_arn" {
  description = "The table of another stack, in any region, to remember in instead of one of this stack's own: what is new in one region is then known in all. Empty makes a table."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.memory_table_arn] : can(regex("^$|^arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]{3,255}$", each))])
    error_message = "It must match ^$|^arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]{3,255}$."
  }
}

variable "learning_days" {
  description = "How many days a rule that remembers only learns before it reports anything; 0 reports from the first event on. Empty lets each rule learn for as long as it looks back."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.learning_days] : can(regex("^$|^[0-9]{1,3}$", each))])
    error_message = "It must match ^$|^[0-9]{1,3}$."
  }
}

variable "architecture" {
  description = "The processor the function is built for and runs on."
  type = string
  default = "x86_64"
  validation {
    condition = contains(["x86_64", "arm64"], var.architecture)
    error_message = "It must be one of x86_64, arm64."
  }
}

variable "function_role_name" {
  description = "A name for the function's role, so that a bucket or key in another account can let it in before the stack exists. A role's name is for all regions of the account. Empty takes a name of CloudFormation's own."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.function_role_name] : can(regex("^$|^[A-Za-z0-9_+=,.@-]{1,64}$", each))])
    error_message = "It must match ^$|^[A-Za-z0-9_+=,.@-]{1,64}$."
  }
}

variable "memory_size" {
  description = "The function's memory in MiB. Processor time grows with it."
  type = number
  default = 256
  validation {
    condition = var.memory_size >= 128
    error_message = "It must be >= 128."
  }
  validation {
    condition = var.memory_size <= 10240
    error_message = "It must be <= 10240."
  }
}

variable "maximum_concurrency" {
  description = "How many copies of the function the queue may keep busy at once."
  type = number
  default = 10
  validation {
    condition = var.maximum_concurrency >= 2
    error_message = "It must be >= 2."
  }
  validation {
    condition = var.maximum_concurrency <= 1000
    error_message = "It must be <= 1000."
  }
}

variable "log_level" {
  description = "DEBUG also logs what was skipped, and why."
  type = string
  default = "INFO"
  validation {
    condition = contains(["INFO", "DEBUG"], var.log_level)
    error_message = "It must be one of INFO, DEBUG."
  }
}

variable "log_retention" {
  description = "Days the function's log lines are kept."
  type = number
  default = 30
  validation {
    condition = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653], var.log_retention)
    error_message = "It must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653."
  }
}

variable "alarm_email" {
  description = "An address that gets a mail for every alarm, once it has confirmed the mail SNS sends. Empty sends none; the alarms exist in any case."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.alarm_email] : can(regex("^$|^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", each))])
    error_message = "It must match ^$|^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$."
  }
}

variable "alarm_topic_arn" {
  description = "An existing SNS topic in this region that is notified of every alarm. Empty notifies none."
  type = string
  default = ""
  validation {
    condition = alltrue([for each in [var.alarm_topic_arn] : can(regex("^$|^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$", each))])
    error_message = "It must match ^$|^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$."
  }
}

variable "silence_hours" {
  description = "Hours without a single delivery read to its end after which the silence alarm sounds. An account that does next to nothing may need more than one."
  type = number
  default = 1
  validation {
    condition = var.silence_hours >= 1
    error_message = "It must be >= 1."
  }
  validation {
    condition = var.silence_hours <= 24
    error_message = "It must be <= 24."
  }
}

variable "account_silence_hours" {
  description = "Hours without a delivery after which an account and region that was seen on most days counts as silent: one signal then, and one when it is back. Needs Memory. 0 does not look."
  type = number
  default = 0
  validation {
    condition = var.account_silence_hours >= 0
    error_message = "It must be >= 0."
  }
  validation {
    condition = var.account_silence_hours <= 720
    error_message = "It must be <= 720."
  }
}

variable "latency_target" {
  description = "Seconds from an API call to its signal that nine in ten signals should stay within."
  type = number
  default = 900
  validation {
    condition = var.latency_target >= 1
    error_message = "It must be >= 1."
  }
  validation {
    condition = var.latency_target <= 86400
    error_message = "It must be <= 86400."
  }
}

variable "metrics_namespace" {
  description = "The CloudWatch namespace of the function's own metrics."
  type = string
  default = "CloudTrailSignals"
  validation {
    condition = alltrue([for each in [var.metrics_namespace] : can(regex("^[A-Za-z0-9_./#:-]{1,255}$", each)) && !startswith(each, "AWS/")])
    error_message = "It must match ^(?!AWS/)[A-Za-z0-9_./#:-]{1,255}$."
  }
}

locals {
  own_bucket = (var.trail_bucket_name == "")
  existing_bucket = !local.own_bucket
  has_rules_layer = !(var.rules_layer_arn == "")
  has_starter_rules = (var.starter_rules == "true")
  has_role_name = !(var.function_role_name == "")
  has_delivery_topic = !(var.delivery_topic_arn == "")
  from_delivery_topic = (local.existing_bucket && local.has_delivery_topic)
  from_event_bridge = (local.existing_bucket && !local.has_delivery_topic)
  in_real_time = (var.real_time == "true")
  own_trail = (local.own_bucket && (var.create_trail == "true"))
  of_organization = (local.own_trail && !(var.organization_id == ""))
  has_trail_prefix = !(var.trail_prefix == "")
  has_trail_kms_key = !(var.trail_kms_key_arn == "")
  has_signal_kms_key = !(var.signal_kms_key_arn == "")
  is_fifo = (var.fifo_topic == "true")
  has_archive = (var.archive_signals == "true")
  has_notices = !(var.notices == "none")
  has_slack = (local.has_notices && !(var.slack_workspace_id == "") && !(var.slack_channel_id == ""))
  has_teams = (local.has_notices && !(var.teams_tenant_id == "") && !(var.teams_team_id == "") && !(var.teams_channel_id == ""))
  has_chat = (local.has_slack || local.has_teams)
  has_notice_topics = !(var.notice_topic_arns[0] == "")
  has_notice_email1 = !(var.notice_email == "")
  has_notice_email2 = (local.has_notice_email1 && !(join("", [split(",", "${var.notice_email},,,,")[1]]) == ""))
  has_notice_email3 = (local.has_notice_email1 && !(join("", [split(",", "${var.notice_email},,,,")[2]]) == ""))
  has_notice_email4 = (local.has_notice_email1 && !(join("", [split(",", "${var.notice_email},,,,")[3]]) == ""))
  has_notice_email5 = (local.has_notice_email1 && !(join("", [split(",", "${var.notice_email},,,,")[4]]) == ""))
  has_memory = (var.memory == "true")
  has_memory_table = !(var.memory_table_arn == "")
  own_memory = (local.has_memory && !local.has_memory_table)
  watches_accounts = (local.has_memory && !(var.account_silence_hours == 0))
  has_alarm_email = !(var.alarm_email == "")
  has_alarm_topic = !(var.alarm_topic_arn == "")
  stack_part = substr(sha256("${data.aws_caller_identity.current.account_id}/${data.aws_region.current.region}/${var.name}"), 0, 32)
}

resource "aws_s3_bucket" "trail_bucket" {
  count = local.own_bucket ? 1 : 0
  bucket = "cloudtrail-signals-${local.stack_part}"
  depends_on = [aws_sqs_queue_policy.queue_policy]
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "trail_bucket" {
  count = local.own_bucket ? 1 : 0
  bucket = one(aws_s3_bucket.trail_bucket[*].id)
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_ownership_controls" "trail_bucket" {
  count = local.own_bucket ? 1 : 0
  bucket = one(aws_s3_bucket.trail_bucket[*].id)
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "trail_bucket" {
  count = local.own_bucket ? 1 : 0
  bucket = one(aws_s3_bucket.trail_bucket[*].id)
  block_public_acls = true
  block_public_policy = true
  ignore_public_acls = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "trail_bucket" {
  count = local.own_bucket ? 1 : 0
  bucket = one(aws_s3_bucket.trail_bucket[*].id)
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "trail_bucket" {
  count = local.own_bucket ? 1 : 0
  bucket = one(aws_s3_bucket.trail_bucket[*].id)
  rule {
    id = "expire-deliveries"
    status = "Enabled"
    filter {
      prefix = ""
    }
    expiration {
      days = var.trail_retention
    }
    noncurrent_version_expiration {
      noncurrent_days = 30
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_notification" "trail_bucket" {
  count = local.own_bucket ? 1 : 0
  bucket = one(aws_s3_bucket.trail_bucket[*].id)
  queue {
    queue_arn = aws_sqs_queue.queue.arn
    events = ["s3:ObjectCreated:*"]
    filter_prefix = (local.has_trail_prefix ? var.trail_prefix : null)
  }
  depends_on = [aws_sqs_queue_policy.queue_policy]
}

resource "aws_s3_bucket_policy" "trail_bucket_policy" {
  count = local.own_bucket ? 1 : 0
  bucket = one(aws_s3_bucket.trail_bucket[*].id)
  policy = jsonencode({ "Version" = "2012-10-17", "Statement" = [{ "Sid" = "CloudTrailChecks", "Effect" = "Allow", "Principal" = { "Service" = "cloudtrail.amazonaws.com" }, "Action" = "s3:GetBucketAcl", "Resource" = one(aws_s3_bucket.trail_bucket[*].arn), "Condition" = { "ArnLike" = { "aws:SourceArn" = (local.own_trail ? "arn:${data.aws_partition.current.partition}:cloudtrail:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:trail/${var.name}" : "arn:${data.aws_partition.current.partition}:cloudtrail:*:${data.aws_caller_identity.current.account_id}:trail/*") } } }, { "Sid" = "CloudTrailDelivers", "Effect" = "Allow", "Principal" = { "Service" = "cloudtrail.amazonaws.com" }, "Action" = "s3:PutObject", "Resource" = [for each in ["${one(aws_s3_bucket.trail_bucket[*].arn)}/AWSLogs/${data.aws_caller_identity.current.account_id}/*", (local.of_organization ? "${one(aws_s3_bucket.trail_bucket[*].arn)}/AWSLogs/${var.organization_id}/*" : null)] : each if each != null], "Condition" = { "ArnLike" = { "aws:SourceArn" = (local.own_trail ? "arn:${data.aws_partition.current.partition}:cloudtrail:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:trail/${var.name}" : "arn:${data.aws_partition.current.partition}:cloudtrail:*:${data.aws_caller_identity.current.account_id}:trail/*") } } }, { "Sid" = "TlsOnly", "Effect" = "Deny", "Principal" = "*", "Action" = "s3:*", "Resource" = [one(aws_s3_bucket.trail_bucket[*].arn), "${one(aws_s3_bucket.trail_bucket[*].arn)}/*"], "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } } }] })
}

resource "aws_cloudtrail" "trail" {
  count = local.own_trail ? 1 : 0
  name = var.name
  s3_bucket_name = one(aws_s3_bucket.trail_bucket[*].id)
  enable_logging = true
  is_multi_region_trail = true
  is_organization_trail = (local.of_organization ? true : false)
  include_global_service_events = true
  enable_log_file_validation = true
  kms_key_id = (local.has_trail_kms_key ? var.trail_kms_key_arn : null)
  depends_on = [aws_s3_bucket_policy.trail_bucket_policy]
}

resource "aws_cloudwatch_event_rule" "object_created_rule" {
  count = local.from_event_bridge ? 1 : 0
  description = "Brings every delivery in the trail buckets to the queue."
  event_pattern = jsonencode(merge({ "source" = ["aws.s3"], "detail-type" = ["Object Created"], "detail" = { "bucket" = { "name" = split(",", var.trail_bucket_name) }, "object" = (local.has_trail_prefix ? { "key" = [{ "prefix" = var.trail_prefix }] } : null) } }, { detail = { for name, each in { "source" = ["aws.s3"], "detail-type" = ["Object Created"], "detail" = { "bucket" = { "name" = split(",", var.trail_bucket_name) }, "object" = (local.has_trail_prefix ? { "key" = [{ "prefix" = var.trail_prefix }] } : null) } }.detail : name => each if each != null } }))
}

resource "aws_cloudwatch_event_target" "object_created_rule" {
  count = local.from_event_bridge ? 1 : 0
  rule = one(aws_cloudwatch_event_rule.object_created_rule[*].name)
  target_id = "queue"
  arn = aws_sqs_queue.queue.arn
  dead_letter_config {
    arn = aws_sqs_queue.dead_letter_queue.arn
  }
}

resource "aws_sns_topic_subscription" "delivery_topic_subscription" {
  count = local.from_delivery_topic ? 1 : 0
  topic_arn = var.delivery_topic_arn
  protocol = "sqs"
  endpoint = aws_sqs_queue.queue.arn
  redrive_policy = jsonencode({ "deadLetterTargetArn" = aws_sqs_queue.dead_letter_queue.arn })
  depends_on = [aws_sqs_queue_policy.queue_policy]
}

resource "aws_cloudwatch_event_rule" "api_call_rule" {
  count = local.in_real_time ? 1 : 0
  description = "Brings what the rules look for to the queue, ahead of its delivery."
  event_pattern = var.real_time_pattern
}

resource "aws_cloudwatch_event_target" "api_call_rule" {
  count = local.in_real_time ? 1 : 0
  rule = one(aws_cloudwatch_event_rule.api_call_rule[*].name)
  target_id = "queue"
  arn = aws_sqs_queue.queue.arn
  dead_letter_config {
    arn = aws_sqs_queue.dead_letter_queue.arn
  }
}

resource "aws_sqs_queue" "queue" {
  sqs_managed_sse_enabled = (local.has_signal_kms_key ? null : true)
  kms_master_key_id = (local.has_signal_kms_key ? var.signal_kms_key_arn : null)
  visibility_timeout_seconds = 360
  message_retention_seconds = 1209600
  redrive_policy = jsonencode({ "deadLetterTargetArn" = aws_sqs_queue.dead_letter_queue.arn, "maxReceiveCount" = 5 })
}

resource "aws_sqs_queue_policy" "queue_policy" {
  queue_url = aws_sqs_queue.queue.url
  policy = jsonencode({ "Version" = "2012-10-17", "Statement" = [for each in [(local.own_bucket ? { "Sid" = "BucketNotifies", "Effect" = "Allow", "Principal" = { "Service" = "s3.amazonaws.com" }, "Action" = "sqs:SendMessage", "Resource" = aws_sqs_queue.queue.arn, "Condition" = { "ArnEquals" = { "aws:SourceArn" = "arn:${data.aws_partition.current.partition}:s3:::cloudtrail-signals-${local.stack_part}" }, "StringEquals" = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } } } : null), (local.from_event_bridge ? { "Sid" = "DeliveryRuleSends", "Effect" = "Allow", "Principal" = { "Service" = "events.amazonaws.com" }, "Action" = "sqs:SendMessage", "Resource" = aws_sqs_queue.queue.arn, "Condition" = { "ArnEquals" = { "aws:SourceArn" = one(aws_cloudwatch_event_rule.object_created_rule[*].arn) } } } : null), (local.from_delivery_topic ? { "Sid" = "DeliveryTopicSends", "Effect" = "Allow", "Principal" = { "Service" = "sns.amazonaws.com" }, "Action" = "sqs:SendMessage", "Resource" = aws_sqs_queue.queue.arn, "Condition" = { "ArnEquals" = { "aws:SourceArn" = var.delivery_topic_arn } } } : null), (local.in_real_time ? { "Sid" = "ApiCallRuleSends", "Effect" = "Allow", "Principal" = { "Service" = "events.amazonaws.com" }, "Action" = "sqs:SendMessage", "Resource" = aws_sqs_queue.queue.arn, "Condition" = { "ArnEquals" = { "aws:SourceArn" = one(aws_cloudwatch_event_rule.api_call_rule[*].arn) } } } : null), { "Sid" = "TlsOnly", "Effect" = "Deny", "Principal" = "*", "Action" = "sqs:*", "Resource" = aws_sqs_queue.queue.arn, "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } } }] : each if each != null] })
}

resource "aws_sqs_queue" "dead_letter_queue" {
  sqs_managed_sse_enabled = (local.has_signal_kms_key ? null : true)
  kms_master_key_id = (local.has_signal_kms_key ? var.signal_kms_key_arn : null)
  message_retention_seconds = 1209600
}

resource "aws_sqs_queue_policy" "dead_letter_queue_policy" {
  queue_url = aws_sqs_queue.dead_letter_queue.url
  policy = jsonencode({ "Version" = "2012-10-17", "Statement" = [for each in [(local.from_event_bridge ? { "Sid" = "DeliveryRuleGivesUp", "Effect" = "Allow", "Principal" = { "Service" = "events.amazonaws.com" }, "Action" = "sqs:SendMessage", "Resource" = aws_sqs_queue.dead_letter_queue.arn, "Condition" = { "ArnEquals" = { "aws:SourceArn" = one(aws_cloudwatch_event_rule.object_created_rule[*].arn) } } } : null), (local.from_delivery_topic ? { "Sid" = "DeliveryTopicGivesUp", "Effect" = "Allow", "Principal" = { "Service" = "sns.amazonaws.com" }, "Action" = "sqs:SendMessage", "Resource" = aws_sqs_queue.dead_letter_queue.arn, "Condition" = { "ArnEquals" = { "aws:SourceArn" = var.delivery_topic_arn } } } : null), (local.in_real_time ? { "Sid" = "ApiCallRuleGivesUp", "Effect" = "Allow", "Principal" = { "Service" = "events.amazonaws.com" }, "Action" = "sqs:SendMessage", "Resource" = aws_sqs_queue.dead_letter_queue.arn, "Condition" = { "ArnEquals" = { "aws:SourceArn" = one(aws_cloudwatch_event_rule.api_call_rule[*].arn) } } } : null), { "Sid" = "TlsOnly", "Effect" = "Deny", "Principal" = "*", "Action" = "sqs:*", "Resource" = aws_sqs_queue.dead_letter_queue.arn, "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } } }] : each if each != null] })
}

resource "aws_lambda_function" "function" {
  function_name = var.name
  filename = var.code_file
  s3_bucket = var.code_bucket
  s3_key = var.code_key
  source_code_hash = var.code_file == null ? var.code_sha256 : filebase64sha256(var.code_file)
  description = "Publishes a signal for every CloudTrail record that satisfies a detection rule."
  handler = "bootstrap"
  runtime = "provided.al2023"
  architectures = [var.architecture]
  memory_size = var.memory_size
  timeout = 60
  role = aws_iam_role.function_role.arn
  layers = (local.has_rules_layer ? [var.rules_layer_arn] : null)
  logging_config {
    log_format = "JSON"
    application_log_level = var.log_level
    log_group = aws_cloudwatch_log_group.function_log_group.name
  }
  environment {
    variables = { "SIGNAL_TOPIC_ARN" = aws_sns_topic.signal_topic.arn, "EXCEPTION_QUERY" = var.exception_query, "EMBEDDED_RULES" = (local.has_starter_rules ? "starter" : "seed"), "RULES_BUNDLE" = (local.has_rules_layer ? "/opt/rules.json" : ""), "TRAIL_BUCKET_OWNER" = var.trail_bucket_owner, "SIGNAL_ARCHIVE_BUCKET" = (local.has_archive ? one(aws_s3_bucket.archive_bucket[*].id) : ""), "NOTICE_TOPIC_ARN" = (local.has_notices ? one(aws_sns_topic.notice_topic[*].arn) : ""), "NOTICES" = (local.has_notices ? var.notices : ""), "NOTICE_QUIET_SECONDS" = var.notice_quiet_seconds, "MEMORY_TABLE" = (local.own_memory ? one(aws_dynamodb_table.memory_table[*].name) : var.memory_table_arn), "ACCOUNT_SILENCE_HOURS" = var.account_silence_hours, "LEARNING_DAYS" = var.learning_days, "METRICS_NAMESPACE" = var.metrics_namespace }
  }
  lifecycle {
    precondition {
      condition = (var.code_file == null) == (var.code_bucket != null && var.code_key != null)
      error_message = "Name either code_file, or code_bucket and code_key."
    }
    precondition {
      condition = !(var.create_trail == "true") || (var.trail_bucket_name == "")
      error_message = "CreateTrail works only with the bucket this stack makes; leave TrailBucketName empty."
    }
    precondition {
      condition = (var.organization_id == "") || (var.create_trail == "true")
      error_message = "OrganizationId is for the trail this stack makes; set CreateTrail to true, or leave it empty."
    }
    precondition {
      condition = (var.delivery_topic_arn == "") || !(var.trail_bucket_name == "")
      error_message = "DeliveryTopicArn says when to read; set TrailBucketName to say which bucket may be read."
    }
    precondition {
      condition = !(var.notices == "none") || (var.notice_email == "")
      error_message = "With Notices none there is nothing to send; leave NoticeEmail empty, or set Notices to alerts."
    }
    precondition {
      condition = !(var.notices == "none") || ((var.slack_channel_id == "") && (var.teams_channel_id == ""))
      error_message = "With Notices none there is nothing to send; leave the channels empty, or set Notices to alerts."
    }
    precondition {
      condition = !(var.memory == "false") || (var.memory_table_arn == "")
      error_message = "Without Memory no table is used; leave MemoryTableArn empty, or set Memory to true."
    }
    precondition {
      condition = !(var.memory == "false") || (var.account_silence_hours == 0)
      error_message = "AccountSilenceHours notes deliveries in the table; set Memory to true, or leave it at 0."
    }
    precondition {
      condition = (var.slack_workspace_id == var.slack_channel_id) || (!(var.slack_workspace_id == "") && !(var.slack_channel_id == ""))
      error_message = "Slack needs SlackWorkspaceId and SlackChannelId; set both, or leave both empty."
    }
    precondition {
      condition = !(!(var.teams_tenant_id == "") || !(var.teams_team_id == "") || !(var.teams_channel_id == "")) || (!(var.teams_tenant_id == "") && !(var.teams_team_id == "") && !(var.teams_channel_id == ""))
      error_message = "Teams needs TeamsTenantId, TeamsTeamId and TeamsChannelId; set all three, or none."
    }
  }
}

resource "aws_lambda_event_source_mapping" "function" {
  function_name = aws_lambda_function.function.arn
  event_source_arn = aws_sqs_queue.queue.arn
  batch_size = 10
  function_response_types = ["ReportBatchItemFailures"]
  scaling_config {
    maximum_concurrency = var.maximum_concurrency
  }
}

resource "aws_cloudwatch_log_group" "function_log_group" {
  name = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention
}

resource "aws_iam_role" "function_role" {
  name = (local.has_role_name ? var.function_role_name : null)
  assume_role_policy = jsonencode({ "Version" = "2012-10-17", "Statement" = [{ "Effect" = "Allow", "Principal" = { "Service" = "lambda.amazonaws.com" }, "Action" = "sts:AssumeRole" }] })
}

resource "aws_iam_role_policy" "function_role" {
  name = "read-deliveries-publish-signals"
  role = aws_iam_role.function_role.name
  policy = jsonencode({ "Version" = "2012-10-17", "Statement" = [for each in [{ "Sid" = "TakeFromQueue", "Effect" = "Allow", "Action" = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], "Resource" = aws_sqs_queue.queue.arn }, { "Sid" = "ReadDeliveries", "Effect" = "Allow", "Action" = ["s3:GetObject", "s3:GetObjectVersion"], "Resource" = [for each in [(local.own_bucket ? "arn:${data.aws_partition.current.partition}:s3:::${one(aws_s3_bucket.trail_bucket[*].id)}/${var.trail_prefix}*" : "arn:${data.aws_partition.current.partition}:s3:::${split(",", var.trail_bucket_name)[0]}/${var.trail_prefix}*"), (local.existing_bucket ? "arn:${data.aws_partition.current.partition}:s3:::${split(",", "${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name}")[1]}/${var.trail_prefix}*" : null), (local.existing_bucket ? "arn:${data.aws_partition.current.partition}:s3:::${split(",", "${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name}")[2]}/${var.trail_prefix}*" : null), (local.existing_bucket ? "arn:${data.aws_partition.current.partition}:s3:::${split(",", "${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name}")[3]}/${var.trail_prefix}*" : null), (local.existing_bucket ? "arn:${data.aws_partition.current.partition}:s3:::${split(",", "${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name}")[4]}/${var.trail_prefix}*" : null)] : each if each != null] }, { "Sid" = "TellMissingFromForbidden", "Effect" = "Allow", "Action" = "s3:ListBucket", "Resource" = [for each in [(local.own_bucket ? "arn:${data.aws_partition.current.partition}:s3:::${one(aws_s3_bucket.trail_bucket[*].id)}" : "arn:${data.aws_partition.current.partition}:s3:::${split(",", var.trail_bucket_name)[0]}"), (local.existing_bucket ? "arn:${data.aws_partition.current.partition}:s3:::${split(",", "${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name}")[1]}" : null), (local.existing_bucket ? "arn:${data.aws_partition.current.partition}:s3:::${split(",", "${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name}")[2]}" : null), (local.existing_bucket ? "arn:${data.aws_partition.current.partition}:s3:::${split(",", "${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name}")[3]}" : null), (local.existing_bucket ? "arn:${data.aws_partition.current.partition}:s3:::${split(",", "${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name},${var.trail_bucket_name}")[4]}" : null)] : each if each != null] }, (local.has_trail_kms_key ? { "Sid" = "DecryptDeliveries", "Effect" = "Allow", "Action" = "kms:Decrypt", "Resource" = var.trail_kms_key_arn, "Condition" = { "StringLike" = { "kms:ViaService" = "s3.*.amazonaws.com*" } } } : null), (local.has_signal_kms_key ? { "Sid" = "UseSignalKey", "Effect" = "Allow", "Action" = ["kms:Decrypt", "kms:GenerateDataKey"], "Resource" = var.signal_kms_key_arn, "Condition" = { "StringLike" = { "kms:ViaService" = ["sqs.*.amazonaws.com*", "sns.*.amazonaws.com*", "dynamodb.*.amazonaws.com*"] } } } : null), (local.has_archive ? { "Sid" = "KeepSignals", "Effect" = "Allow", "Action" = ["s3:GetObject", "s3:PutObject"], "Resource" = "${one(aws_s3_bucket.archive_bucket[*].arn)}/signals/*" } : null), (local.has_archive ? { "Sid" = "TellNewFromForbidden", "Effect" = "Allow", "Action" = "s3:ListBucket", "Resource" = one(aws_s3_bucket.archive_bucket[*].arn) } : null), (local.has_memory ? { "Sid" = "Remember", "Effect" = "Allow", "Action" = ["dynamodb:BatchGetItem", "dynamodb:PutItem"], "Resource" = (local.has_memory_table ? var.memory_table_arn : one(aws_dynamodb_table.memory_table[*].arn)) } : null), { "Sid" = "PublishSignals", "Effect" = "Allow", "Action" = "sns:Publish", "Resource" = aws_sns_topic.signal_topic.arn }, (local.has_notices ? { "Sid" = "PublishNotices", "Effect" = "Allow", "Action" = "sns:Publish", "Resource" = one(aws_sns_topic.notice_topic[*].arn) } : null), (local.has_notice_topics ? { "Sid" = "PublishNoticesElsewhere", "Effect" = "Allow", "Action" = "sns:Publish", "Resource" = var.notice_topic_arns } : null), { "Sid" = "WriteLog", "Effect" = "Allow", "Action" = ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource" = aws_cloudwatch_log_group.function_log_group.arn }] : each if each != null] })
}

resource "aws_dynamodb_table" "memory_table" {
  count = local.own_memory ? 1 : 0
  billing_mode = "PAY_PER_REQUEST"
  hash_key = "key"
  attribute {
    name = "key"
    type = "S"
  }
  ttl {
    attribute_name = "expires"
    enabled = true
  }
  point_in_time_recovery {
    enabled = true
  }
  dynamic "server_side_encryption" {
    for_each = local.has_signal_kms_key ? [1] : []
    content {
      enabled = true
      kms_key_arn = var.signal_kms_key_arn
    }
  }
  name = "${var.name}-memory"
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_scheduler_schedule" "silence_schedule" {
  count = local.watches_accounts ? 1 : 0
  description = "Has the function look for accounts whose deliveries have stopped."
  schedule_expression = "cron(15 * * * ? *)"
  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn = aws_lambda_function.function.arn
    role_arn = one(aws_iam_role.silence_schedule_role[*].arn)
    input = "{\"check\":\"silence\",\"time\":\"<aws.scheduler.scheduled-time>\"}"
    retry_policy {
      maximum_retry_attempts = 10
      maximum_event_age_in_seconds = 3600
    }
  }
}

resource "aws_iam_role" "silence_schedule_role" {
  count = local.watches_accounts ? 1 : 0
  assume_role_policy = jsonencode({ "Version" = "2012-10-17", "Statement" = [{ "Effect" = "Allow", "Principal" = { "Service" = "scheduler.amazonaws.com" }, "Action" = "sts:AssumeRole", "Condition" = { "StringEquals" = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } } }] })
}

resource "aws_iam_role_policy" "silence_schedule_role" {
  count = local.watches_accounts ? 1 : 0
  name = "check-for-silence"
  role = one(aws_iam_role.silence_schedule_role[*].name)
  policy = jsonencode({ "Version" = "2012-10-17", "Statement" = [{ "Sid" = "InvokeFunction", "Effect" = "Allow", "Action" = "lambda:InvokeFunction", "Resource" = aws_lambda_function.function.arn }] })
}

resource "aws_sns_topic" "signal_topic" {
  name = (local.is_fifo ? "${var.name}.fifo" : null)
  fifo_topic = (local.is_fifo ? true : null)
  display_name = "CloudTrail signals"
  kms_master_key_id = (local.has_signal_kms_key ? var.signal_kms_key_arn : "alias/aws/sns")
}

resource "aws_sns_topic_policy" "signal_topic_policy" {
  arn = aws_sns_topic.signal_topic.arn
  policy = jsonencode({ "Version" = "2012-10-17", "Statement" = [{ "Sid" = "TlsOnly", "Effect" = "Deny", "Principal" = "*", "Action" = "sns:Publish", "Resource" = aws_sns_topic.signal_topic.arn, "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } } }] })
}

resource "aws_s3_bucket" "archive_bucket" {
  count = local.has_archive ? 1 : 0
  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "archive_bucket" {
  count = local.has_archive ? 1 : 0
  bucket = one(aws_s3_bucket.archive_bucket[*].id)
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_ownership_controls" "archive_bucket" {
  count = local.has_archive ? 1 : 0
  bucket = one(aws_s3_bucket.archive_bucket[*].id)
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "archive_bucket" {
  count = local.has_archive ? 1 : 0
  bucket = one(aws_s3_bucket.archive_bucket[*].id)
  block_public_acls = true
  block_public_policy = true
  ignore_public_acls = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "archive_bucket" {
  count = local.has_archive ? 1 : 0
  bucket = one(aws_s3_bucket.archive_bucket[*].id)
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "archive_bucket" {
  count = local.has_archive ? 1 : 0
  bucket = one(aws_s3_bucket.archive_bucket[*].id)
  rule {
    id = "expire-history"
    status = "Enabled"
    filter {
      prefix = "history/"
    }
    expiration {
      days = 90
    }
  }
  rule {
    id = "tidy"
    status = "Enabled"
    filter {
      prefix = ""
    }
    noncurrent_version_expiration {
      noncurrent_days = 30
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_policy" "archive_bucket_policy" {
  count = local.has_archive ? 1 : 0
  bucket = one(aws_s3_bucket.archive_bucket[*].id)
  policy = jsonencode({ "Version" = "2012-10-17", "Statement" = [{ "Sid" = "TlsOnly", "Effect" = "Deny", "Principal" = "*", "Action" = "s3:*", "Resource" = [one(aws_s3_bucket.archive_bucket[*].arn), "${one(aws_s3_bucket.archive_bucket[*].arn)}/*"], "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } } }] })
}

resource "aws_iam_role" "history_role" {
  count = local.has_archive ? 1 : 0
  assume_role_policy = jsonencode({ "Version" = "2012-10-17", "Statement" = [{ "Effect" = "Allow", "Principal" = { "Service" = "batchoperations.s3.amazonaws.com" }, "Action" = "sts:AssumeRole", "Condition" = { "StringEquals" = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } } }] })
}

resource "aws_iam_role_policy" "history_role" {
  count = local.has_archive ? 1 : 0
  name = "scan-the-past"
  role = one(aws_iam_role.history_role[*].name)
  policy = jsonencode({ "Version" = "2012-10-17", "Statement" = [{ "Sid" = "InvokeTheFunction", "Effect" = "Allow", "Action" = "lambda:InvokeFunction", "Resource" = aws_lambda_function.function.arn }, { "Sid" = "ReadManifest", "Effect" = "Allow", "Action" = ["s3:GetObject", "s3:GetObjectVersion"], "Resource" = "${one(aws_s3_bucket.archive_bucket[*].arn)}/history/manifests/*" }, { "Sid" = "WriteReport", "Effect" = "Allow", "Action" = "s3:PutObject", "Resource" = "${one(aws_s3_bucket.archive_bucket[*].arn)}/history/reports/*" }] })
}

resource "aws_sns_topic" "notice_topic" {
  count = local.has_notices ? 1 : 0
  display_name = "CloudTrail notices"
  kms_master_key_id = (local.has_signal_kms_key ? var.signal_kms_key_arn : "alias/aws/sns")
}

resource "aws_sns_topic_subscription" "notice_topic" {
  count = local.has_notices ? 1 : 0
  for_each = { for name, each in { for each in [for each in [(local.has_notice_email1 ? { "Protocol" = "email", "Endpoint" = split(",", "${var.notice_email},,,,")[0] } : null), (local.has_notice_email2 ? { "Protocol" = "email", "Endpoint" = split(",", "${var.notice_email},,,,")[1] } : null), (local.has_notice_email3 ? { "Protocol" = "email", "Endpoint" = split(",", "${var.notice_email},,,,")[2] } : null), (local.has_notice_email4 ? { "Protocol" = "email", "Endpoint" = split(",", "${var.notice_email},,,,")[3] } : null), (local.has_notice_email5 ? { "Protocol" = "email", "Endpoint" = split(",", "${var.notice_email},,,,")[4] } : null)] : each if each != null] : "${each.Protocol} ${each.Endpoint}" => each } : name => each if local.has_notices }
  topic_arn = one(aws_sns_topic.notice_topic[*].arn)
  protocol = each.value.Protocol
  endpoint = each.value.Endpoint
}

resource "aws_sns_topic_policy" "notice_topic_policy" {
  count = local.has_notices ? 1 : 0
  arn = one(aws_sns_topic.notice_topic[*].arn)
  policy = jsonencode({ "Version" = "2012-10-17", "Statement" = [{ "Sid" = "TlsOnly", "Effect" = "Deny", "Principal" = "*", "Action" = "sns:Publish", "Resource" = one(aws_sns_topic.notice_topic[*].arn), "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } } }] })
}

resource "aws_iam_role" "chat_role" {
  count = local.has_chat ? 1 : 0
  assume_role_policy = jsonencode({ "Version" = "2012-10-17", "Statement" = [{ "Effect" = "Allow", "Principal" = { "Service" = "chatbot.amazonaws.com" }, "Action" = "sts:AssumeRole", "Condition" = { "StringEquals" = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } } }] })
}

resource "aws_iam_policy" "chat_guardrail" {
  count = local.has_chat ? 1 : 0
  description = "Allows nothing, whatever a role allows."
  policy = jsonencode({ "Version" = "2012-10-17", "Statement" = [{ "Sid" = "Nothing", "Effect" = "Deny", "Action" = "*", "Resource" = "*" }] })
}

resource "aws_chatbot_slack_channel_configuration" "slack_channel" {
  count = local.has_slack ? 1 : 0
  slack_team_id = var.slack_workspace_id
  slack_channel_id = var.slack_channel_id
  configuration_name = "${var.name}-slack"
  iam_role_arn = one(aws_iam_role.chat_role[*].arn)
  guardrail_policy_arns = [one(aws_iam_policy.chat_guardrail[*].arn)]
  sns_topic_arns = [one(aws_sns_topic.notice_topic[*].arn)]
}

resource "aws_chatbot_teams_channel_configuration" "teams_channel" {
  count = local.has_teams ? 1 : 0
  tenant_id = var.teams_tenant_id
  team_id = var.teams_team_id
  channel_id = var.teams_channel_id
  configuration_name = "${var.name}-teams"
  iam_role_arn = one(aws_iam_role.chat_role[*].arn)
  guardrail_policy_arns = [one(aws_iam_policy.chat_guardrail[*].arn)]
  sns_topic_arns = [one(aws_sns_topic.notice_topic[*].arn)]
}

resource "aws_sns_topic" "alarm_topic" {
  count = local.has_alarm_email ? 1 : 0
  display_name = "CloudTrail signals, alarms"
  kms_master_key_id = (local.has_signal_kms_key ? var.signal_kms_key_arn : null)
}

resource "aws_sns_topic_subscription" "alarm_topic" {
  count = local.has_alarm_email ? 1 : 0
  for_each = { for name, each in { for each in [{ "Protocol" = "email", "Endpoint" = var.alarm_email }] : "${each.Protocol} ${each.Endpoint}" => each } : name => each if local.has_alarm_email }
  topic_arn = one(aws_sns_topic.alarm_topic[*].arn)
  protocol = each.value.Protocol
  endpoint = each.value.Endpoint
}

resource "aws_sns_topic_policy" "alarm_topic_policy" {
  count = local.has_alarm_email ? 1 : 0
  arn = one(aws_sns_topic.alarm_topic[*].arn)
  policy = jsonencode({ "Version" = "2012-10-17", "Statement" = [{ "Sid" = "AlarmsPublish", "Effect" = "Allow", "Principal" = { "Service" = "cloudwatch.amazonaws.com" }, "Action" = "sns:Publish", "Resource" = one(aws_sns_topic.alarm_topic[*].arn), "Condition" = { "ArnLike" = { "aws:SourceArn" = "arn:${data.aws_partition.current.partition}:cloudwatch:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:alarm:*" } } }, { "Sid" = "TlsOnly", "Effect" = "Deny", "Principal" = "*", "Action" = "sns:Publish", "Resource" = one(aws_sns_topic.alarm_topic[*].arn), "Condition" = { "Bool" = { "aws:SecureTransport" = "false" } } }] })
}

resource "aws_cloudwatch_metric_alarm" "dead_letter_alarm" {
  alarm_name = "${var.name}-DeadLetterAlarm"
  alarm_description = "Deliveries failed five times and wait in the dead-letter queue. docs/operate.md#dead-letters"
  namespace = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  statistic = "Maximum"
  period = 300
  evaluation_periods = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [for each in [(local.has_alarm_email ? one(aws_sns_topic.alarm_topic[*].arn) : null), (local.has_alarm_topic ? var.alarm_topic_arn : null)] : each if each != null]
  dimensions = { QueueName = aws_sqs_queue.dead_letter_queue.name }
}

resource "aws_cloudwatch_metric_alarm" "error_alarm" {
  alarm_name = "${var.name}-ErrorAlarm"
  alarm_description = "The function failed as a whole. docs/operate.md#errors"
  namespace = "AWS/Lambda"
  metric_name = "Errors"
  statistic = "Sum"
  period = 300
  evaluation_periods = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [for each in [(local.has_alarm_email ? one(aws_sns_topic.alarm_topic[*].arn) : null), (local.has_alarm_topic ? var.alarm_topic_arn : null)] : each if each != null]
  dimensions = { FunctionName = aws_lambda_function.function.function_name }
}

resource "aws_cloudwatch_metric_alarm" "throttle_alarm" {
  alarm_name = "${var.name}-ThrottleAlarm"
  alarm_description = "The account has had no free concurrency for the function for a quarter of an hour. docs/operate.md#throttles"
  namespace = "AWS/Lambda"
  metric_name = "Throttles"
  statistic = "Sum"
  period = 300
  evaluation_periods = 3
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [for each in [(local.has_alarm_email ? one(aws_sns_topic.alarm_topic[*].arn) : null), (local.has_alarm_topic ? var.alarm_topic_arn : null)] : each if each != null]
  dimensions = { FunctionName = aws_lambda_function.function.function_name }
}

resource "aws_cloudwatch_metric_alarm" "age_alarm" {
  alarm_name = "${var.name}-AgeAlarm"
  alarm_description = "A delivery has waited in the queue for more than half an hour. docs/operate.md#backlog"
  namespace = "AWS/SQS"
  metric_name = "ApproximateAgeOfOldestMessage"
  statistic = "Maximum"
  period = 300
  evaluation_periods = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 1800
  treat_missing_data = "notBreaching"
  alarm_actions = [for each in [(local.has_alarm_email ? one(aws_sns_topic.alarm_topic[*].arn) : null), (local.has_alarm_topic ? var.alarm_topic_arn : null)] : each if each != null]
  dimensions = { QueueName = aws_sqs_queue.queue.name }
}

resource "aws_cloudwatch_metric_alarm" "silence_alarm" {
  alarm_name = "${var.name}-SilenceAlarm"
  alarm_description = "No delivery has been read to its end for as long as SilenceHours says. docs/operate.md#silence"
  namespace = var.metrics_namespace
  metric_name = "Completed"
  statistic = "Sum"
  period = 3600
  evaluation_periods = var.silence_hours
  comparison_operator = "LessThanThreshold"
  threshold = 1
  treat_missing_data = "breaching"
  alarm_actions = [for each in [(local.has_alarm_email ? one(aws_sns_topic.alarm_topic[*].arn) : null), (local.has_alarm_topic ? var.alarm_topic_arn : null)] : each if each != null]
  dimensions = { FunctionName = aws_lambda_function.function.function_name }
}

resource "aws_cloudwatch_metric_alarm" "latency_alarm" {
  alarm_name = "${var.name}-LatencyAlarm"
  alarm_description = "Signals come later after the call than LatencyTarget says. docs/operate.md#latency"
  namespace = var.metrics_namespace
  metric_name = "CallToSignal"
  extended_statistic = "p90"
  period = 900
  evaluation_periods = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = var.latency_target
  treat_missing_data = "notBreaching"
  alarm_actions = [for each in [(local.has_alarm_email ? one(aws_sns_topic.alarm_topic[*].arn) : null), (local.has_alarm_topic ? var.alarm_topic_arn : null)] : each if each != null]
  dimensions = { FunctionName = aws_lambda_function.function.function_name }
}

resource "aws_cloudwatch_metric_alarm" "undelivered_alarm" {
  alarm_name = "${var.name}-UndeliveredAlarm"
  alarm_description = "SNS could not deliver a signal to a subscriber. docs/operate.md#undelivered-signals"
  namespace = "AWS/SNS"
  metric_name = "NumberOfNotificationsFailed"
  statistic = "Sum"
  period = 300
  evaluation_periods = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [for each in [(local.has_alarm_email ? one(aws_sns_topic.alarm_topic[*].arn) : null), (local.has_alarm_topic ? var.alarm_topic_arn : null)] : each if each != null]
  dimensions = { TopicName = aws_sns_topic.signal_topic.name }
}

resource "aws_cloudwatch_metric_alarm" "undelivered_notice_alarm" {
  count = local.has_notices ? 1 : 0
  alarm_name = "${var.name}-UndeliveredNoticeAlarm"
  alarm_description = "SNS could not deliver a notice to a subscriber. docs/operate.md#undelivered-signals"
  namespace = "AWS/SNS"
  metric_name = "NumberOfNotificationsFailed"
  statistic = "Sum"
  period = 300
  evaluation_periods = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [for each in [(local.has_alarm_email ? one(aws_sns_topic.alarm_topic[*].arn) : null), (local.has_alarm_topic ? var.alarm_topic_arn : null)] : each if each != null]
  dimensions = { TopicName = one(aws_sns_topic.notice_topic[*].name) }
}

resource "aws_cloudwatch_metric_alarm" "archive_alarm" {
  alarm_name = "${var.name}-ArchiveAlarm"
  alarm_description = "Signals were published and could not be archived. docs/operate.md#archive"
  namespace = var.metrics_namespace
  metric_name = "Unarchived"
  statistic = "Sum"
  period = 300
  evaluation_periods = 1
  comparison_operator = "GreaterThanThreshold"
  threshold = 0
  treat_missing_data = "notBreaching"
  alarm_actions = [for each in [(local.has_alarm_email ? one(aws_sns_topic.alarm_topic[*].arn) : null), (local.has_alarm_topic ? var.alarm_topic_arn : null)] : each if each != null]
  dimensions = { FunctionName = aws_lambda_function.function.function_name }
}

resource "aws_cloudwatch_dashboard" "dashboard" {
  dashboard_name = "${var.name}-${data.aws_region.current.region}"
  dashboard_body = "{\"widgets\": [\n  {\"type\": \"alarm\", \"x\": 0, \"y\": 0, \"width\": 6, \"height\": 6, \"properties\": {\n    \"title\": \"Is it working?\",\n    \"alarms\": [\"${aws_cloudwatch_metric_alarm.silence_alarm.arn}\", \"${aws_cloudwatch_metric_alarm.dead_letter_alarm.arn}\", \"${aws_cloudwatch_metric_alarm.error_alarm.arn}\",\n               \"${aws_cloudwatch_metric_alarm.throttle_alarm.arn}\", \"${aws_cloudwatch_metric_alarm.age_alarm.arn}\", \"${aws_cloudwatch_metric_alarm.latency_alarm.arn}\",\n               \"${aws_cloudwatch_metric_alarm.undelivered_alarm.arn}\", \"${aws_cloudwatch_metric_alarm.archive_alarm.arn}\"${(local.has_notices ? ", \"${one(aws_cloudwatch_metric_alarm.undelivered_notice_alarm[*].arn)}\"" : "")}]}},\n  {\"type\": \"metric\", \"x\": 6, \"y\": 0, \"width\": 6, \"height\": 6, \"properties\": {\n    \"title\": \"Deliveries and records read\", \"region\": \"${data.aws_region.current.region}\", \"stat\": \"Sum\", \"period\": 300,\n    \"metrics\": [[\"${var.metrics_namespace}\", \"Deliveries\", \"FunctionName\", \"${aws_lambda_function.function.function_name}\"],\n                [\".\", \"Completed\", \".\", \".\"],\n                [\".\", \"Skipped\", \".\", \".\"],\n                [\".\", \"Records\", \".\", \".\", {\"yAxis\": \"right\"}]]}},\n  {\"type\": \"metric\", \"x\": 12, \"y\": 0, \"width\": 6, \"height\": 6, \"properties\": {\n    \"title\": \"What failed\", \"region\": \"${data.aws_region.current.region}\", \"stat\": \"Sum\", \"period\": 300,\n    \"metrics\": [[\"${var.metrics_namespace}\", \"Rejected\", \"FunctionName\", \"${aws_lambda_function.function.function_name}\"],\n                [\".\", \"Failed\", \".\", \".\"],\n                [\".\", \"Unarchived\", \".\", \".\"],\n                [\".\", \"NoticesFailed\", \".\", \".\"],\n                [\"AWS/Lambda\", \"Errors\", \".\", \".\"],\n                [\".\", \"Throttles\", \".\", \".\"],\n                [\"AWS/SQS\", \"ApproximateNumberOfMessagesVisible\", \"QueueName\", \"${aws_sqs_queue.dead_letter_queue.name}\",\n                 {\"label\": \"Dead letters\", \"stat\": \"Maximum\"}],\n                [\"AWS/SNS\", \"NumberOfNotificationsFailed\", \"TopicName\", \"${aws_sns_topic.signal_topic.name}\",\n                 {\"label\": \"Undelivered\"}]]}},\n  {\"type\": \"log\", \"x\": 18, \"y\": 0, \"width\": 6, \"height\": 6, \"properties\": {\n    \"title\": \"Why\", \"region\": \"${data.aws_region.current.region}\", \"view\": \"table\",\n    \"query\": \"SOURCE '${aws_cloudwatch_log_group.function_log_group.name}' | filter message = \\\"failed\\\" | stats count(*) as times by retry, reason | sort times desc\"}},\n  {\"type\": \"metric\", \"x\": 0, \"y\": 6, \"width\": 8, \"height\": 6, \"properties\": {\n    \"title\": \"How late: from the call to the signal (s)\", \"region\": \"${data.aws_region.current.region}\", \"period\": 900,\n    \"annotations\": {\"horizontal\": [{\"label\": \"target\", \"value\": ${var.latency_target}}]},\n    \"metrics\": [[\"${var.metrics_namespace}\", \"CallToSignal\", \"FunctionName\", \"${aws_lambda_function.function.function_name}\", {\"stat\": \"p50\"}],\n                [\"...\", {\"stat\": \"p90\"}],\n                [\"...\", {\"stat\": \"Maximum\"}]]}},\n  {\"type\": \"metric\", \"x\": 8, \"y\": 6, \"width\": 8, \"height\": 6, \"properties\": {\n    \"title\": \"How late: from the delivery to the signal (s)\", \"region\": \"${data.aws_region.current.region}\", \"period\": 900,\n    \"metrics\": [[\"${var.metrics_namespace}\", \"DeliveryToSignal\", \"FunctionName\", \"${aws_lambda_function.function.function_name}\", {\"stat\": \"p50\"}],\n                [\"...\", {\"stat\": \"p90\"}],\n                [\"AWS/SQS\", \"ApproximateAgeOfOldestMessage\", \"QueueName\", \"${aws_sqs_queue.queue.name}\",\n                 {\"label\": \"Oldest waiting\", \"stat\": \"Maximum\"}]]}},\n  {\"type\": \"metric\", \"x\": 16, \"y\": 6, \"width\": 8, \"height\": 6, \"properties\": {\n    \"title\": \"How hard it works\", \"region\": \"${data.aws_region.current.region}\", \"period\": 300,\n    \"metrics\": [[\"${var.metrics_namespace}\", \"BytesIn\", \"FunctionName\", \"${aws_lambda_function.function.function_name}\", {\"stat\": \"Sum\"}],\n                [\".\", \"BytesInflated\", \".\", \".\", {\"stat\": \"Sum\"}],\n                [\"AWS/Lambda\", \"Duration\", \".\", \".\", {\"stat\": \"p90\", \"yAxis\": \"right\"}]]}},\n  {\"type\": \"metric\", \"x\": 0, \"y\": 12, \"width\": 24, \"height\": 6, \"properties\": {\n    \"title\": \"What did it find?\", \"region\": \"${data.aws_region.current.region}\", \"stat\": \"Sum\", \"period\": 3600,\n    \"metrics\": [[\"${var.metrics_namespace}\", \"Matched\", \"FunctionName\", \"${aws_lambda_function.function.function_name}\"],\n                [\".\", \"Signals\", \".\", \".\"],\n                [\".\", \"Published\", \".\", \".\"],\n                [\".\", \"Suppressed\", \".\", \".\"],\n                [\".\", \"Duplicates\", \".\", \".\"],\n                [\".\", \"Notices\", \".\", \".\"],\n                [\".\", \"Known\", \".\", \".\"]]}}\n]}\n"
}

output "topic_arn" {
  description = "The topic signals are published on; subscribe to it."
  value = aws_sns_topic.signal_topic.arn
}

output "notice_topic_arn" {
  description = "The topic notices for people are published on; subscribe to it."
  value = one(aws_sns_topic.notice_topic[*].arn)
}

output "queue_url" {
  description = "The queue deliveries wait in."
  value = aws_sqs_queue.queue.url
}

output "dead_letter_queue_url" {
  description = "The queue of messages that failed five times; it should be empty."
  value = aws_sqs_queue.dead_letter_queue.url
}

output "bucket_name" {
  description = "The bucket deliveries are read from; several have commas between them."
  value = (local.own_bucket ? one(aws_s3_bucket.trail_bucket[*].id) : var.trail_bucket_name)
}

output "function_name" {
  description = "The function."
  value = aws_lambda_function.function.function_name
}

output "function_arn" {
  description = "The function's ARN."
  value = aws_lambda_function.function.arn
}

output "function_role_arn" {
  description = "What the function runs as; a bucket or a key in another account must let it in."
  value = aws_iam_role.function_role.arn
}

output "log_group_name" {
  description = "The function's log."
  value = aws_cloudwatch_log_group.function_log_group.name
}

output "dashboard_name" {
  description = "The CloudWatch dashboard."
  value = aws_cloudwatch_dashboard.dashboard.dashboard_name
}

output "memory_table_name" {
  description = "The table of what rules remember. New rules only learn for some days; past deliveries teach them at once: make history LEARN=yes. docs/memory.md"
  value = (local.own_memory ? one(aws_dynamodb_table.memory_table[*].name) : var.memory_table_arn)
}

output "memory_table_arn" {
  description = "The same for MemoryTableArn of stacks in other regions, so that they remember together."
  value = one(aws_dynamodb_table.memory_table[*].arn)
}

output "archive_bucket_name" {
  description = "The bucket that keeps every signal."
  value = one(aws_s3_bucket.archive_bucket[*].id)
}

output "history_role_arn" {
  description = "What a scan of the past runs as."
  value = one(aws_iam_role.history_role[*].arn)
}
