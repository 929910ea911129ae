# ---- Signals ----

resource "aws_sns_topic" "signal_topic" {
  name         = local.is_fifo ? "${var.name}.fifo" : null
  name_prefix  = local.is_fifo ? null : local.prefix
  fifo_topic   = local.is_fifo ? true : null
  display_name = "CloudTrail signals"
  # The AWS managed key serves every principal of this account that may publish, and needs no separate permission.
  kms_master_key_id = local.has_signal_kms_key ? var.signal_kms_key_arn : "alias/aws/sns"
}

resource "aws_sns_topic_policy" "signal_topic_policy" {
  arn = aws_sns_topic.signal_topic.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.signal_topic.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# ---- Notices for people ----

resource "aws_sns_topic" "notice_topic" {
  count = local.has_notices ? 1 : 0

  name_prefix       = "${local.prefix}notices-"
  display_name      = "CloudTrail notices"
  kms_master_key_id = local.has_signal_kms_key ? var.signal_kms_key_arn : "alias/aws/sns"
}

resource "aws_sns_topic_subscription" "notice_topic" {
  for_each = local.has_notices ? toset(compact(split(",", var.notice_email))) : []

  topic_arn = aws_sns_topic.notice_topic[0].arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_sns_topic_policy" "notice_topic_policy" {
  count = local.has_notices ? 1 : 0

  arn = aws_sns_topic.notice_topic[0].arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.notice_topic[0].arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# ---- Chat ----
#
# People can send commands from a channel, but neither the role nor the guardrail lets any of them do anything: the
# channel is for reading. Without its own guardrail, a channel gets one that allows everything.

resource "aws_iam_role" "chat_role" {
  count = local.has_chat ? 1 : 0

  name_prefix = local.prefix

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "chatbot.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
      },
    ]
  })
}

resource "aws_iam_policy" "chat_guardrail" {
  count = local.has_chat ? 1 : 0

  name_prefix = local.prefix
  description = "Allows nothing, whatever a role allows."

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Nothing"
        Effect   = "Deny"
        Action   = "*"
        Resource = "*"
      },
    ]
  })
}

resource "aws_chatbot_slack_channel_configuration" "slack_channel" {
  count = local.has_slack ? 1 : 0

  configuration_name    = "${var.name}-slack"
  slack_team_id         = var.slack_workspace_id
  slack_channel_id      = var.slack_channel_id
  iam_role_arn          = aws_iam_role.chat_role[0].arn
  guardrail_policy_arns = [aws_iam_policy.chat_guardrail[0].arn]
  sns_topic_arns        = [aws_sns_topic.notice_topic[0].arn]
}

resource "aws_chatbot_teams_channel_configuration" "teams_channel" {
  count = local.has_teams ? 1 : 0

  configuration_name    = "${var.name}-teams"
  tenant_id             = var.teams_tenant_id
  team_id               = var.teams_team_id
  channel_id            = var.teams_channel_id
  iam_role_arn          = aws_iam_role.chat_role[0].arn
  guardrail_policy_arns = [aws_iam_policy.chat_guardrail[0].arn]
  sns_topic_arns        = [aws_sns_topic.notice_topic[0].arn]
}
