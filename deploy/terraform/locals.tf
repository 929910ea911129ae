data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  region     = data.aws_region.current.id

  # The prefix of names that AWS completes; the shortest limit, a role's, is 38 characters.
  prefix = "${substr(var.name, 0, 37)}-"

  # Part of the bucket's name, which the queue's policy must know before the bucket exists.
  stack_part = substr(sha256("${local.account_id}/${local.region}/${var.name}"), 0, 32)
}

# What exists in which mode: the conditions of template.yaml, under the same names.
locals {
  own_bucket          = var.trail_bucket_name == ""
  existing_bucket     = !local.own_bucket
  has_rules_layer     = var.rules_layer_arn != ""
  has_starter_rules   = var.starter_rules
  has_role_name       = var.function_role_name != ""
  has_delivery_topic  = var.delivery_topic_arn != ""
  from_delivery_topic = local.existing_bucket && local.has_delivery_topic
  from_event_bridge   = local.existing_bucket && !local.has_delivery_topic
  in_real_time        = var.real_time
  own_trail           = local.own_bucket && var.create_trail
  of_organization     = local.own_trail && var.organization_id != ""
  has_trail_prefix    = var.trail_prefix != ""
  has_trail_kms_key   = var.trail_kms_key_arn != ""
  has_signal_kms_key  = var.signal_kms_key_arn != ""
  is_fifo             = var.fifo_topic
  has_archive         = var.archive_signals
  has_notices         = var.notices != "none"
  has_slack           = local.has_notices && var.slack_workspace_id != "" && var.slack_channel_id != ""
  has_teams           = local.has_notices && var.teams_tenant_id != "" && var.teams_team_id != "" && var.teams_channel_id != ""
  has_chat            = local.has_slack || local.has_teams
  has_notice_topics   = length(var.notice_topic_arns) > 0
  has_memory          = var.memory
  has_memory_table    = var.memory_table_arn != ""
  own_memory          = local.has_memory && !local.has_memory_table
  watches_accounts    = local.has_memory && var.account_silence_hours != 0
  has_alarm_email     = var.alarm_email != ""
  has_alarm_topic     = var.alarm_topic_arn != ""
}
