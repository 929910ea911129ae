# ---- What brings deliveries to the queue, unless the bucket notifies it ----
#
# What cannot reach the queue, for lack of a permission or key, goes to the dead-letter queue.

resource "aws_cloudwatch_event_rule" "object_created_rule" {
  count = local.from_event_bridge ? 1 : 0

  name_prefix = local.prefix
  description = "Brings every delivery in the trail buckets to the queue."

  event_pattern = jsonencode({
    source        = ["aws.s3"]
    "detail-type" = ["Object Created"]
    detail = merge(
      { bucket = { name = split(",", var.trail_bucket_name) } },
      local.has_trail_prefix ? { object = { key = [{ prefix = var.trail_prefix }] } } : {},
    )
  })
}

resource "aws_cloudwatch_event_target" "object_created_rule" {
  count = local.from_event_bridge ? 1 : 0

  rule      = aws_cloudwatch_event_rule.object_created_rule[0].name
  target_id = "queue"
  arn       = aws_sqs_queue.queue.arn

  dead_letter_config {
    arn = aws_sqs_queue.dead_letter_queue.arn
  }
}

# Wrapped by SNS, not raw, so that a failed message says which topic it came from, and when.
resource "aws_sns_topic_subscription" "delivery_topic_subscription" {
  count = local.from_delivery_topic ? 1 : 0

  topic_arn      = var.delivery_topic_arn
  protocol       = "sqs"
  endpoint       = aws_sqs_queue.queue.arn
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead_letter_queue.arn })

  depends_on = [aws_sqs_queue_policy.queue_policy]
}

resource "aws_cloudwatch_event_rule" "api_call_rule" {
  count = local.in_real_time ? 1 : 0

  name_prefix   = local.prefix
  description   = "Brings what the rules look for to the queue, ahead of its delivery."
  event_pattern = var.real_time_pattern
}

resource "aws_cloudwatch_event_target" "api_call_rule" {
  count = local.in_real_time ? 1 : 0

  rule      = aws_cloudwatch_event_rule.api_call_rule[0].name
  target_id = "queue"
  arn       = aws_sqs_queue.queue.arn

  dead_letter_config {
    arn = aws_sqs_queue.dead_letter_queue.arn
  }
}

# ---- What waits, and what failed ----

resource "aws_sqs_queue" "queue" {
  name_prefix = local.prefix

  # SQS's own encryption, or a key of your own; S3, SNS and EventBridge cannot use the AWS managed key of KMS.
  sqs_managed_sse_enabled = local.has_signal_kms_key ? null : true
  kms_master_key_id       = local.has_signal_kms_key ? var.signal_kms_key_arn : null

  # Six times the function's timeout, as Lambda recommends.
  visibility_timeout_seconds = 360
  message_retention_seconds  = 1209600

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter_queue.arn
    # Lambda also receives messages that it then has no free instance for; a lower limit would lose those.
    maxReceiveCount = 5
  })
}

resource "aws_sqs_queue_policy" "queue_policy" {
  queue_url = aws_sqs_queue.queue.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for statement in [
      local.own_bucket ? {
        Sid       = "BucketNotifies"
        Effect    = "Allow"
        Principal = { Service = "s3.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.queue.arn
        Condition = {
          ArnEquals = { "aws:SourceArn" = "arn:${local.partition}:s3:::cloudtrail-signals-${local.stack_part}" }
          # Anyone can take the name of a deleted bucket.
          StringEquals = { "aws:SourceAccount" = local.account_id }
        }
      } : null,
      local.from_event_bridge ? {
        Sid       = "DeliveryRuleSends"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.queue.arn
        Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.object_created_rule[0].arn } }
      } : null,
      local.from_delivery_topic ? {
        Sid       = "DeliveryTopicSends"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.queue.arn
        Condition = { ArnEquals = { "aws:SourceArn" = var.delivery_topic_arn } }
      } : null,
      local.in_real_time ? {
        Sid       = "ApiCallRuleSends"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.queue.arn
        Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.api_call_rule[0].arn } }
      } : null,
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.queue.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ] : statement if statement != null]
  })
}

resource "aws_sqs_queue" "dead_letter_queue" {
  name_prefix = "${local.prefix}dead-letters-"

  sqs_managed_sse_enabled = local.has_signal_kms_key ? null : true
  kms_master_key_id       = local.has_signal_kms_key ? var.signal_kms_key_arn : null

  # The maximum that SQS offers: two weeks to notice and send the messages back.
  message_retention_seconds = 1209600
}

# SQS moves failed messages here without a permission; these are for what never reached the queue.
resource "aws_sqs_queue_policy" "dead_letter_queue_policy" {
  queue_url = aws_sqs_queue.dead_letter_queue.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for statement in [
      local.from_event_bridge ? {
        Sid       = "DeliveryRuleGivesUp"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.dead_letter_queue.arn
        Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.object_created_rule[0].arn } }
      } : null,
      local.from_delivery_topic ? {
        Sid       = "DeliveryTopicGivesUp"
        Effect    = "Allow"
        Principal = { Service = "sns.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.dead_letter_queue.arn
        Condition = { ArnEquals = { "aws:SourceArn" = var.delivery_topic_arn } }
      } : null,
      local.in_real_time ? {
        Sid       = "ApiCallRuleGivesUp"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.dead_letter_queue.arn
        Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.api_call_rule[0].arn } }
      } : null,
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.dead_letter_queue.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ] : statement if statement != null]
  })
}
