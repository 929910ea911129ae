locals {
  alarms = merge(
    {
      DeadLetterAlarm = {
        description = "Deliveries failed five times and wait in the dead-letter queue. docs/operate.md#dead-letters"
        namespace   = "AWS/SQS"
        metric_name = "ApproximateNumberOfMessagesVisible"
        dimensions  = { QueueName = aws_sqs_queue.dead_letter_queue.name }
        statistic   = "Maximum"
      }
      ErrorAlarm = {
        description = "The function failed as a whole. docs/operate.md#errors"
        namespace   = "AWS/Lambda"
        metric_name = "Errors"
        dimensions  = { FunctionName = aws_lambda_function.function.function_name }
        statistic   = "Sum"
      }
      # Lambda retries a throttled message by itself; a quarter of an hour of throttling is too much.
      ThrottleAlarm = {
        description        = "The account has had no free concurrency for the function for a quarter of an hour. docs/operate.md#throttles"
        namespace          = "AWS/Lambda"
        metric_name        = "Throttles"
        dimensions         = { FunctionName = aws_lambda_function.function.function_name }
        statistic          = "Sum"
        evaluation_periods = 3
      }
      # A single bad delivery is retried for half an hour, then becomes a dead letter. Anything older has another cause.
      AgeAlarm = {
        description = "A delivery has waited in the queue for more than half an hour. docs/operate.md#backlog"
        namespace   = "AWS/SQS"
        metric_name = "ApproximateAgeOfOldestMessage"
        dimensions  = { QueueName = aws_sqs_queue.queue.name }
        statistic   = "Maximum"
        threshold   = 1800
      }
      # The worst failure is silence, which shows as no data at all. Not Deliveries, which counts opened deliveries even
      # if every read fails.
      SilenceAlarm = {
        description         = "No delivery has been read to its end for as long as silence_hours says. docs/operate.md#silence"
        namespace           = var.metrics_namespace
        metric_name         = "Completed"
        dimensions          = { FunctionName = aws_lambda_function.function.function_name }
        statistic           = "Sum"
        period              = 3600
        evaluation_periods  = var.silence_hours
        comparison_operator = "LessThanThreshold"
        threshold           = 1
        treat_missing_data  = "breaching"
      }
      LatencyAlarm = {
        description        = "Signals come later after the call than latency_target says. docs/operate.md#latency"
        namespace          = var.metrics_namespace
        metric_name        = "CallToSignal"
        dimensions         = { FunctionName = aws_lambda_function.function.function_name }
        extended_statistic = "p90"
        period             = 900
        threshold          = var.latency_target
      }
      # The signal was published, but its subscriber did not get it: the queue was deleted, or a mailbox refuses mail.
      UndeliveredAlarm = {
        description = "SNS could not deliver a signal to a subscriber. docs/operate.md#undelivered-signals"
        namespace   = "AWS/SNS"
        metric_name = "NumberOfNotificationsFailed"
        dimensions  = { TopicName = aws_sns_topic.signal_topic.name }
        statistic   = "Sum"
      }
      # Without an archive there is nothing to store, and the metric is always zero.
      ArchiveAlarm = {
        description = "Signals were published and could not be archived. docs/operate.md#archive"
        namespace   = var.metrics_namespace
        metric_name = "Unarchived"
        dimensions  = { FunctionName = aws_lambda_function.function.function_name }
        statistic   = "Sum"
      }
    },
    local.has_notices ? {
      UndeliveredNoticeAlarm = {
        description = "SNS could not deliver a notice to a subscriber. docs/operate.md#undelivered-signals"
        namespace   = "AWS/SNS"
        metric_name = "NumberOfNotificationsFailed"
        dimensions  = { TopicName = aws_sns_topic.notice_topic[0].name }
        statistic   = "Sum"
      }
    } : {},
  )
}

# Unless its entry says otherwise, an alarm goes off after five minutes with any value but zero.
resource "aws_cloudwatch_metric_alarm" "alarm" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric_name
  dimensions          = each.value.dimensions
  statistic           = try(each.value.statistic, null)
  extended_statistic  = try(each.value.extended_statistic, null)
  period              = try(each.value.period, 300)
  evaluation_periods  = try(each.value.evaluation_periods, 1)
  comparison_operator = try(each.value.comparison_operator, "GreaterThanThreshold")
  threshold           = try(each.value.threshold, 0)
  treat_missing_data  = try(each.value.treat_missing_data, "notBreaching")

  alarm_actions = compact([
    local.has_alarm_email ? aws_sns_topic.alarm_topic[0].arn : null,
    local.has_alarm_topic ? var.alarm_topic_arn : null,
  ])
}

# ---- Who gets a mail for every alarm ----

resource "aws_sns_topic" "alarm_topic" {
  count = local.has_alarm_email ? 1 : 0

  name_prefix  = "${local.prefix}alarms-"
  display_name = "CloudTrail signals, alarms"
  # Alarms cannot use the AWS managed key: without a key of your own, this topic has none. It carries no signals.
  kms_master_key_id = local.has_signal_kms_key ? var.signal_kms_key_arn : null
}

resource "aws_sns_topic_subscription" "alarm_topic" {
  count = local.has_alarm_email ? 1 : 0

  topic_arn = aws_sns_topic.alarm_topic[0].arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

resource "aws_sns_topic_policy" "alarm_topic_policy" {
  count = local.has_alarm_email ? 1 : 0

  arn = aws_sns_topic.alarm_topic[0].arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AlarmsPublish"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarm_topic[0].arn
        Condition = {
          ArnLike = {
            "aws:SourceArn" = "arn:${local.partition}:cloudwatch:${local.region}:${local.account_id}:alarm:*"
          }
        }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarm_topic[0].arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}
